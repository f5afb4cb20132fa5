"""Files that some worlds can be made from: what they are and where they belong. Reads none."""

from __future__ import annotations

from gan_toolkit import Package, Source

MESHES = "chair_meshes"
"""Folder of the models, below the data folder."""
INSTALLED = "/usr/share/sweethome3d/furniture"
"""Where Debian's package puts its packs."""
_PACKS = ("BlendSwap-CC-0", "BlendSwap-CC-BY", "KatorLegaz", "Scopia")

CHAIR_MODELS = Source(
    component="chairs",
    title="chair models (source = 'meshes')",
    what=(
        "65 chairs and stools among the furniture of Sweet Home 3D, or any OBJ files; the rendered "
        "chairs need no file, the real ones are `gantk data info rendered_chairs`"
    ),
    origin="Sweet Home 3D's furniture library; creator and pack of each are in the manifest",
    licence="by pack: CC0 (20 models) or CC BY 3.0; licence = 'cc0' takes the former only",
    how=(
        "`gantk data fetch chairs --from package`, or put packs (*.sh3f) or OBJ files into "
        f"<root>/{MESHES}/"
    ),
    needed=False,
    folders=(f"<root>/{MESHES}", INSTALLED),
    packages=(
        Package(
            kind="debian",
            name="sweethome3d-furniture",
            version="1.8-1",
            sha256="3ccb90c63f9525e887a767b9cd5c8b6933b8b6b2973a615a5359ee68a2118668",
            members={f"{INSTALLED[1:]}/{pack}.sh3f": f"{MESHES}/{pack}.sh3f" for pack in _PACKS},
        ),
    ),
)
