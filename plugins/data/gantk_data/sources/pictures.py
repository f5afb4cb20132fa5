"""Sets of photographs, and your own pictures."""

from __future__ import annotations

from gan_toolkit import Source, SourceFile

SOURCES = (
    Source(
        component="image_folder",
        title="a folder of images",
        what="your own pictures: PNG, JPEG, WebP, BMP, TIFF or PNM, in nested folders",
        origin="your own",
        licence="terms of the data: check",
        how="put the pictures below data.root; the first level of sub-folders can be classes",
        folders=("<root>",),
    ),
    Source(
        component="celeba",
        title="CelebA",
        what=(
            "202,599 aligned photographs of 10,177 people, 178x218, with 40 attributes and 5 "
            "landmarks"
        ),
        origin="Z. Liu, P. Luo, X. Wang, X. Tang: Deep learning face attributes, ICCV 2015",
        licence="non-commercial research only (unverified); terms of the data: check",
        how=(
            "get img_align_celeba.zip and the text files from the authors' page (Large-scale "
            "CelebFaces Attributes, MMLAB, CUHK) and put them into <root>/celeba/, unpacked or not"
        ),
        folders=(
            "<root>/celeba/img_align_celeba",
            "<root>/img_align_celeba",
            "<root>/celeba/img_align_celeba.zip",
            "<root>/img_align_celeba.zip",
        ),
        files=(
            SourceFile("img_align_celeba.zip", md5="00d2c5bc6d35e252742224ab0c1e8fcb"),
            SourceFile("list_eval_partition.txt", md5="d32c9cbf5e040fd4025c592c306e6668"),
            SourceFile("list_attr_celeba.txt", md5="75e246fa4810816ffd6ee81facbd244c"),
            SourceFile("list_landmarks_align_celeba.txt", md5="cc24ecafdb5b50baae59b03474781f8c"),
        ),
    ),
)
