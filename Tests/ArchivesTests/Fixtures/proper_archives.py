#!/usr/bin/env python3
"""Makes archives of one small site in all the ways that people do: proper_archives.py FOLDER.

Every file holds index.html ("<p>hello"), a/style.css (""), "Größe/große datei.txt" (300,000 bytes "z") and
.well-known/security.txt ("Contact: x"), and nothing else that belongs to the site.
"""
import gzip
import io
import os
import sys
import tarfile
import zipfile

folder = sys.argv[1]
SITE = {
    "index.html": b"<p>hello",
    "a/style.css": b"",
    "Gr\u00f6\u00dfe/gro\u00dfe datei.txt": b"z" * 300_000,
    ".well-known/security.txt": b"Contact: x",
}
HIDDEN = {".env": b"SECRET=1", ".git/config": b"[core]", "a/.DS_Store": b"\0", "__MACOSX/._index.html": b"\0", ".buildinfo": b""}


def keep(name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def tar(format, prefix="", extra={}, mode=0o644, folders=True):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format) as archive:
        if prefix and folders:
            info = tarfile.TarInfo(prefix.rstrip("/"))
            info.type = tarfile.DIRTYPE
            info.mode = 0o2755
            archive.addfile(info)
        for path, content in (SITE | extra).items():
            info = tarfile.TarInfo(prefix + path)
            info.size = len(content)
            info.mode = mode
            info.uid = 0xfffffff if format == tarfile.PAX_FORMAT else 1000
            info.uname = "somebody"
            info.mtime = 1_700_000_000.5 if format == tarfile.PAX_FORMAT else 1_700_000_000
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


for name, format in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
    keep(f"{name}.tar", tar(format))
    keep(f"{name}.tar.gz", gzip.compress(tar(format)))
    keep(f"{name}-dot.tar.gz", gzip.compress(tar(format, "./")))
    keep(f"{name}-folder.tar.gz", gzip.compress(tar(format, "my-site/")))
    keep(f"{name}-dot-folder.tar.gz", gzip.compress(tar(format, "./my-site/")))
    keep(f"{name}-hidden.tar.gz", gzip.compress(tar(format, extra=HIDDEN)))
    keep(f"{name}-folder-hidden.tar.gz", gzip.compress(tar(format, "my-site/", extra=HIDDEN)))
    keep(f"{name}-setuid.tar", tar(format, mode=0o6755))
long = "l" * 200 + "/"
keep("gnu-long.tar", tar(tarfile.GNU_FORMAT, long))
keep("pax-long.tar", tar(tarfile.PAX_FORMAT, long))
plain = tar(tarfile.GNU_FORMAT)
keep("parts.tar.gz", gzip.compress(plain[:5_000]) + gzip.compress(plain[5_000:]))
keep("zeros-behind.tar.gz", gzip.compress(plain + bytes(1 << 20)))
stream = io.BytesIO()
with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "a commit"}) as archive:
    for path, content in SITE.items():
        info = tarfile.TarInfo("site-1.0/" + path)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
keep("git-archive.tar", stream.getvalue())


class Pipe(io.RawIOBase):
    """A file that cannot be gone back in, so that sizes follow the content."""

    def __init__(self):
        self.bytes = b""

    def writable(self):
        return True

    def write(self, content):
        self.bytes += bytes(content)
        return len(content)


def zipped(name, prefix="", extra={}, method=zipfile.ZIP_DEFLATED, piped=False, zip64=False, folders=False, system=3):
    stream = Pipe() if piped else io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        if folders:
            archive.mkdir(prefix or "a/")
        for path, content in (SITE | extra).items():
            info = zipfile.ZipInfo(prefix + path)
            info.compress_type = method
            info.create_system = system
            info.external_attr = 0o100644 << 16 if system == 3 else 0x20
            with archive.open(info, "w", force_zip64=zip64) as file:
                file.write(content)
    keep(name + ".zip", stream.bytes if piped else stream.getvalue())


zipped("deflated")
zipped("stored", method=zipfile.ZIP_STORED)
zipped("piped", piped=True)
zipped("zip64", zip64=True)
zipped("folder", "my-site/", folders=True)
zipped("hidden", extra=HIDDEN)
zipped("folder-hidden", "my-site/", extra=HIDDEN, folders=True)
zipped("dos", system=0)
zipped("with-zip", "site/", extra={}, folders=True)
