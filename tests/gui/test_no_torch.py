import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
import sys
from pathlib import Path
from workbench.gui.app import application, open_window

application()
window = open_window(Path(sys.argv[1]))
window.show()
window.make_all_pages()
for name in window.pages:
    window.show_page(name)
    application().processEvents()
heavy = ("torch", "torchvision", "timm", "umap", "sklearn", "pandas", "numba", "onnx")
print(sorted(name for name in heavy if name in sys.modules), len(window.pages))
window.close()
"""


def test_the_windows_process_has_no_torch(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "WORKBENCH_CACHE": str(tmp_path / "cache"),
        "WORKBENCH_SETTINGS": str(tmp_path / "settings"),
    }
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(tmp_path / "runs")],
        env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == "[] 8"
