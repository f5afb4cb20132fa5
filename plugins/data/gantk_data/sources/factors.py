"""Sets whose factors are known: what was rendered or photographed in every combination."""

from __future__ import annotations

from gan_toolkit import Source, SourceFile
from gantk_data.sources.downloads import DOWNLOADS, NORB_NAMES

SOURCES = (
    Source(
        component="rendered_chairs",
        title="3D Chairs",
        what=(
            "86,366 renders of 1,393 chair models (counts unverified), 600x600 on white, from "
            "31 azimuths at elevations of 20 and 30 degrees"
        ),
        origin=(
            "M. Aubry, D. Maturana, A. Efros, B. Russell, J. Sivic: Seeing 3D chairs, CVPR 2014"
        ),
        licence="terms: see the authors' page; terms of the data: check",
        how=(
            "get rendered_chairs.tar from the authors' project page (Seeing 3D chairs, WILLOW, "
            "di.ens.fr) and put it into <root>, unpacked or not"
        ),
        folders=("<root>/rendered_chairs.tar", "<root>/rendered_chairs", "<root>"),
        files=(
            SourceFile("rendered_chairs.tar"),
            SourceFile("rendered_chairs/<id>/renders/image_III_pEEE_tAAA_rRRR.png"),
        ),
        copies=(("rendered_chairs.tar",), ("*/renders",)),
    ),
    Source(
        component="dsprites",
        title="dSprites",
        what=(
            "737,280 white shapes on black, 64x64: every combination of 3 shapes, 6 scales, 40 "
            "orientations and 32x32 places"
        ),
        origin="L. Matthey, I. Higgins, D. Hassabis, A. Lerchner, 2017; DeepMind",
        licence="Apache-2.0 (of its repository)",
        how="`gantk data fetch dsprites`, or put the .npz into <root> or <root>/dsprites/",
        folders=("<root>", "<root>/dsprites"),
        files=(
            SourceFile(
                "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
                md5="7da33b31b13a06f4b04a70402ce90c2e",
            ),
        ),
        downloads=DOWNLOADS["dsprites"],
    ),
    Source(
        component="mpi3d",
        title="MPI3D",
        what=(
            "1,036,800 pictures, 64x64, of 6x6 objects in a robot's hand, rendered simply or "
            "realistically or photographed; 460,800 photographs of 4x4 complex ones"
        ),
        origin="M. W. Gondal and others: On the transfer of inductive bias, NeurIPS 2019",
        licence="CC BY 4.0",
        how=(
            "`gantk data fetch mpi3d`, or get a variant from the authors' page (rr-learning, "
            "disentanglement_dataset) and put it into <root> or <root>/mpi3d/"
        ),
        folders=("<root>", "<root>/mpi3d"),
        files=(
            SourceFile("mpi3d_toy.npz", md5="55889cb7c7dfc655d6e0277beee88868"),
            SourceFile("mpi3d_realistic.npz", md5="59a6225b88b635365f70c91b3e52f70f"),
            SourceFile("mpi3d_real.npz", md5="0f33f609918fb5c97996692f91129802"),
            SourceFile("mpi3d_real_complex.npz"),
            SourceFile("real3d_complicated_shapes_ordered.npz"),
        ),
        copies=(
            ("mpi3d_toy.npz",),
            ("mpi3d_realistic.npz",),
            ("mpi3d_real.npz",),
            ("mpi3d_real_complex.npz",),
            ("real3d_complicated_shapes_ordered.npz",),
        ),
        downloads=DOWNLOADS["mpi3d"],
    ),
    Source(
        component="shapes3d",
        title="3D Shapes",
        what=(
            "480,000 renders, 64x64, of an object in a room: every combination of 10 hues of "
            "floor, wall and object each, 8 scales, 4 shapes and 15 orientations"
        ),
        origin="C. Burgess, H. Kim, 2018; DeepMind",
        licence="Apache-2.0 (of its repository)",
        how=(
            "`gantk data fetch shapes3d`, or put 3dshapes.h5 into <root> or <root>/shapes3d/; "
            "reading it takes h5py: pip install 'gan-toolkit[h5]'"
        ),
        folders=("<root>", "<root>/shapes3d", "<root>/3dshapes"),
        files=(SourceFile("3dshapes.h5", 267_573_662, "099a2078d58cec4daad0702c55d06868"),),
        downloads=DOWNLOADS["shapes3d"],
    ),
    Source(
        component="smallnorb",
        title="smallNORB",
        what=(
            "24,300 + 24,300 pairs of photographs, 96x96 grey, of 50 toys in 5 categories, from "
            "9 elevations and 18 azimuths in 6 lights"
        ),
        origin="Y. LeCun, F. J. Huang, L. Bottou: Learning methods for generic objects, CVPR 2004",
        licence="research only (unverified); terms of the data: check",
        how=(
            "`gantk data fetch smallnorb`, or put the six files, plain or .gz, into <root> or "
            "<root>/smallnorb/"
        ),
        folders=("<root>", "<root>/smallnorb"),
        files=tuple(
            SourceFile(name, size, md5)
            for name, size, md5 in zip(
                NORB_NAMES,
                (447_897_624, 97_220, 388_820) * 2,
                (
                    "8138a0902307b32dfa0025a36dfa45ec",
                    "fd5120d3f770ad57ebe620eb61a0b633",
                    "19faee774120001fc7e17980d6960451",
                    "e9920b7f7b2869a8f1a12e945b2c166c",
                    "fd5120d3f770ad57ebe620eb61a0b633",
                    "7c5b871cc69dcadec1bf6a18141f5edc",
                ),
                strict=True,
            )
        ),
        downloads=DOWNLOADS["smallnorb"],
    ),
    Source(
        component="cars3d",
        title="Cars3D",
        what=(
            "17,568 renders, 128x128, of 183 car models from 24 azimuths and 4 elevations, on white"
        ),
        origin="S. Reed, Y. Zhang, Y. Zhang, H. Lee: Deep visual analogy-making, NeurIPS 2015",
        licence="terms: see the authors' page; terms of the data: check",
        how=(
            "`gantk data fetch cars3d`, or put nips2015-analogy-data.tar.gz or its folder "
            "data/cars/ into <root>"
        ),
        folders=("<root>", "<root>/cars3d"),
        files=(
            SourceFile("nips2015-analogy-data.tar.gz", md5="4e866a7919c1beedf53964e6f7a23686"),
            SourceFile("data/cars/list.txt"),
            SourceFile("data/cars/car_*_mesh.mat"),
        ),
        copies=(("nips2015-analogy-data.tar.gz",), ("data/cars/list.txt",), ("cars/list.txt",)),
        downloads=DOWNLOADS["cars3d"],
    ),
    Source(
        component="dcign_faces",
        title="DC-IGN faces",
        what=(
            "renders of the Basel face model, 150x150 grey, in batches of 20 that vary in azimuth, "
            "elevation, light or shape; up to 3,000 + 350 batches each (unverified)"
        ),
        origin="T. D. Kulkarni, W. F. Whitney, P. Kohli, J. B. Tenenbaum: DC-IGN, NeurIPS 2015",
        licence="terms: see the authors' page; terms of the data: check",
        how=(
            "get dcign_facedataset_monovariant.zip from the README of the authors' repository "
            "(dc-ign) and put it into <root>, unpacked or not"
        ),
        folders=("<root>", "<root>/dcign_faces"),
        files=(
            SourceFile("th_{AZ,EL,LIGHT_AZ,SHAPE}_VARIED/{FT_training,FT_test}/batch<N>"),
            SourceFile("dcign_facedataset_monovariant.zip"),
        ),
        copies=(
            ("dcign_facedataset_monovariant.zip",),
            *(
                (f"th_{way}_VARIED/FT_training/batch*",)
                for way in ("AZ", "EL", "LIGHT_AZ", "SHAPE")
            ),
        ),
    ),
)
