"""photostyle: give one photograph the light of another, and keep it a photograph.

    from photostyle import load_image, save_image, transfer
    save_image(transfer(load_image("day.jpg"), load_image("night.jpg")), "evening.jpg")

The public names stand in `__init__.pyi`. Each is imported when it is first used, so that `photostyle --help` need not
wait for PyTorch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
