"""Archives for the demo: a real site that nobody here wrote, and some that mean harm."""

import glob
import io
import os
import shutil
import subprocess
import tarfile
import tempfile


def python_documentation(folder):
    """The HTML documentation of Python as Debian ships it, packed with `tar -h`. Returns (path, files).

    Images of Debian that leave documentation out (path-exclude) have the package but not its files; the package itself
    is then fetched once more and unpacked into `folder`.
    """
    found = sorted(path for path in glob.glob("/usr/share/doc/python3*/html") if os.path.exists(path + "/index.html"))
    if not found:
        package = glob.glob("/var/lib/dpkg/info/python3.*-doc.list")
        name = os.path.basename(package[0]).removesuffix(".list") if package else "python3-doc"
        subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, check=True)
        archive = glob.glob(f"{folder}/{name}_*.deb")[0]
        subprocess.run(["dpkg-deb", "-x", archive, folder + "/unpacked"], check=True)
        found = sorted(glob.glob(folder + "/unpacked/usr/share/doc/python3*/html"))
        # Links that lead out of the package to others that are not there.
        for path, _, names in os.walk(found[0]):
            for name in names:
                if not os.path.exists(os.path.join(path, name)):
                    os.unlink(os.path.join(path, name))
    path = os.path.join(folder, "python-doc.tar.gz")
    subprocess.run(
        ["tar", "-c", "-h", "-f", path, "-I", "gzip -1", "-C", found[0], "."], check=True)
    files = sum(len(names) for _, _, names in os.walk(found[0], followlinks=True))
    return path, files


def with_one_page_changed(packed):
    """The same archive with another home page, and that page."""
    members = []
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        for info in archive.getmembers():
            data = archive.extractfile(info).read()
            if info.name.removeprefix("./") == "index.html":
                page = data = data.replace(b"</h1>", b" and every evening</h1>", 1)
            members.append((info, data))
    return _tar(members), page


def _tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _file(name, data=b"<!doctype html><title>x</title><h1>x</h1>"):
    return tarfile.TarInfo(name), data


def _special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    info.devmajor, info.devminor = 1, 3
    return info, b""


def hostile():
    """(what it tries, archive)"""
    index = _file("index.html")
    return [
        ("a path that climbs out", _tar([index, _file("../../pagewright-was-here.html")])),
        ("an absolute path", _tar([index, _file("/tmp/pagewright-was-here.html")])),
        ("a symbolic link", _tar([index, _special("passwords.txt", tarfile.SYMTYPE, "/etc/passwd")])),
        ("a hard link", _tar([index, _special("shadow.txt", tarfile.LNKTYPE, "/etc/shadow")])),
        ("a PHP file", _tar([index, _file("contact.php", b"<?php system($_GET['c']); ?>")])),
        ("a device node", _tar([index, _special("null", tarfile.CHRTYPE)])),
    ]
