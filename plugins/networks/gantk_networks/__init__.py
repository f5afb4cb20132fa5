"""Generators and critics: `mlp`, `dcgan`, and the networks of the InfoGAN paper."""

from __future__ import annotations

from gan_toolkit import Registry, hookimpl
from gantk_networks import options

_PAPER = {
    "mnist": (options.PaperCriticOptions, "28x28x1"),
    "svhn": (options.PaperCriticOptions, "32x32x3"),
    "celeba": (options.PaperCriticOptions, "32x32x3"),
    "faces": (options.DenseNormOptions, "32x32x1"),
    "chairs": (options.DenseNormOptions, "64x64x1"),
}


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer the generators and critics."""
    registry.add(
        "generator",
        "mlp",
        options=options.MlpGeneratorOptions,
        build="gantk_networks.mlp:MlpGenerator",
        summary="Fully connected; points or images of any shape",
    )
    registry.add(
        "critic",
        "mlp",
        options=options.MlpCriticOptions,
        build="gantk_networks.mlp:MlpCritic",
        summary="Fully connected; points or images of any shape",
    )
    registry.add(
        "generator",
        "dcgan",
        options=options.DcganGeneratorOptions,
        build="gantk_networks.dcgan:DcganGenerator",
        summary="Convolutional; square images of 8, 28, 32, 48, 64, ... pixels a side",
        trial={"width": 4},
    )
    registry.add(
        "critic",
        "dcgan",
        options=options.DcganCriticOptions,
        build="gantk_networks.dcgan:DcganCritic",
        summary="Convolutional; square images of 8, 28, 32, 48, 64, ... pixels a side",
        trial={"width": 4, "features": 16},
    )
    for name, (critic_options, image) in _PAPER.items():
        registry.add(
            "generator",
            f"paper_{name}",
            build=f"gantk_networks.paper:{name.title()}Generator",
            summary=f"InfoGAN's own network for {image} images",
        )
        registry.add(
            "critic",
            f"paper_{name}",
            options=critic_options,
            build=f"gantk_networks.paper:{name.title()}Critic",
            summary=f"InfoGAN's own network for {image} images",
        )
