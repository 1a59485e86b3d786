"""Writes a commit of a bare ostree repository as the layers of an image, as ostree-ext does it.

usage: encapsulate.py REPOSITORY COMMIT FOLDER [PREFIX...]

FOLDER gets 0.tar with the commit, all directories and what no prefix takes, and N.tar with the
content below the Nth prefix (the "chunks"). It knows nothing of the product: objects are the
repository's files, the layout is that of ostree-ext's tar/export.rs.
"""
import io, os, stat, subprocess, sys, tarfile

repo, commit, folder, prefixes = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
OBJECTS = "sysroot/ostree/repo/objects/"


def loose(name, suffix):
    return f"{name[:2]}/{name[2:]}.{suffix}"


def framed(parts):
    """An array of byte strings of GVariant's that is shorter than 256 bytes."""
    ends, data = [], b""
    for part in parts:
        data += part
        ends.append(len(data))
    assert len(data) + len(ends) < 256
    return data + bytes(ends)


def xattrs(path):
    pairs = []
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        value = os.getxattr(path, name, follow_symlinks=False)
        key = name.encode() + b"\0"
        pairs.append(key + value + bytes([len(key)]))
    return framed(pairs) if pairs else b""


def entry(name, kind, mode=0o644, uid=0, gid=0):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.uid, info.gid = kind, mode, uid, gid
    return info


class Layer:
    def __init__(self, number):
        self.tar = tarfile.open(f"{folder}/{number}.tar", "w", format=tarfile.GNU_FORMAT)
        self.parents = set()
        for name in ["sysroot", "sysroot/ostree", "sysroot/ostree/repo", OBJECTS[:-1]]:
            self.directory(name)
        for i in range(256):
            self.directory(f"{OBJECTS}{i:02x}")
        self.data("sysroot/ostree/repo/config", b"[core]\nrepo_version=1\nmode=bare-split-xattrs\n")

    def directory(self, name, mode=0o755, uid=0, gid=0):
        self.parents.add(name)
        self.tar.addfile(entry(name, tarfile.DIRTYPE, mode, uid, gid))

    def data(self, name, data):
        info = entry(name, tarfile.REGTYPE)
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))

    def metadata(self, name, suffix):
        with open(f"{repo}/objects/{loose(name, suffix)}", "rb") as file:
            self.data(OBJECTS + loose(name, suffix), file.read())

    def content(self, name, paths):
        path = f"{repo}/objects/{loose(name, 'file')}"
        self.data(OBJECTS + loose(name, "file-xattrs-link"), xattrs(path))
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        info = entry(OBJECTS + loose(name, "file"), tarfile.REGTYPE, mode, status.st_uid, status.st_gid)
        if stat.S_ISLNK(status.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
            self.tar.addfile(info)
        else:
            info.size = status.st_size
            with open(path, "rb") as file:
                self.tar.addfile(info, file)
        for where in paths:
            self.ancestors(where)
            empty = stat.S_ISREG(status.st_mode) and status.st_size == 0
            link = entry(where, tarfile.REGTYPE if empty else tarfile.LNKTYPE, mode, status.st_uid, status.st_gid)
            if not empty:
                link.linkname = OBJECTS + loose(name, "file")
            self.tar.addfile(link)

    def ancestors(self, path):
        parts = path.split("/")[:-1]
        for i in range(1, len(parts) + 1):
            name = "/".join(parts[:i])
            if name not in self.parents:
                self.directory(name)


def mapped(path):
    return path[4:] if path == "usr/etc" or path.startswith("usr/etc/") else path


layers = [Layer(i) for i in range(len(prefixes) + 1)]
base = layers[0]
base.metadata(commit, "commit")
if os.path.exists(f"{repo}/objects/{loose(commit, 'commitmeta')}"):
    base.metadata(commit, "commitmeta")
listing = subprocess.run(
    ["ostree", "ls", "-RC", f"--repo={repo}", commit], check=True, capture_output=True, text=True
).stdout
contents, done = {}, set()
for line in listing.splitlines():
    # MODE OWNER GROUP SIZE { CONTENTS METADATA | CHECKSUM } /PATH
    words = line.split(None, 4)
    if line[0] == "d":
        tree, meta, path = words[4].split(None, 2)
        for name, suffix in [(meta, "dirmeta"), (tree, "dirtree")]:
            if name not in done:
                done.add(name)
                base.metadata(name, suffix)
        if path not in ("/", "/sysroot"):
            base.directory(mapped(path[1:]), int(words[0][1:], 8), int(words[1]), int(words[2]))
    else:
        name, path = words[4].split(None, 1)
        contents.setdefault(name, []).append(path.split(" -> ")[0][1:])
base.directory("var/tmp", 0o1777)
for name, paths in contents.items():
    number = next((i + 1 for i, p in enumerate(prefixes) if paths[0].startswith(p)), 0)
    layers[number].content(name, [mapped(p) for p in paths])
for layer in layers:
    layer.tar.close()
