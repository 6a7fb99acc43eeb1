"""Sites of the sizes that the bench needs."""

import io
import os
import random
import tarfile


def page(title, links=(), filler=0, seed=0):
    """A whole page of about `filler` bytes."""
    words = "bread flour oven crust rye spelt salt water time hands morning table window street".split()
    chance = random.Random(seed)
    text = []
    size = 0
    while size < filler:
        sentence = " ".join(chance.choice(words) for _ in range(12)).capitalize() + "."
        text.append(f"<p>{sentence}</p>")
        size += len(text[-1]) + 1
    anchors = "".join(f'<a href="{link}">{link}</a> ' for link in links)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1>\n{anchors}\n" + "\n".join(text) + "\n</body></html>\n").encode()


def large(folder, files, size):
    """Writes a site of so many pages of `size` bytes each."""
    for number in range(files - 1):
        path = os.path.join(folder, f"part{number // 100:03}")
        os.makedirs(path, exist_ok=True)
        with open(f"{path}/page{number:05}.html", "wb") as file:
            file.write(page(f"Page {number}", filler=size, seed=number))
    with open(os.path.join(folder, "index.html"), "wb") as file:
        file.write(page("Large site", filler=size))


def packed(files):
    """A tar.gz, hardly compressed, of (name, bytes)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def packed_folder(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        archive.add(folder, ".")
    return buffer.getvalue()
