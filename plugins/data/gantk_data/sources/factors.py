"""Sets whose factors are known: what was rendered or photographed in every combination."""

from __future__ import annotations

from gan_toolkit import Source, SourceFile

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
    ),
)
