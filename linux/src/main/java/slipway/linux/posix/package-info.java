/**
 * System calls by the foreign function interface, paths as bytes, files read and written beneath a
 * root. Entry: {@link slipway.linux.posix.Posix}.
 *
 * <pre>
 *  Posix, Xattrs, Ioctls    a call each, named as in section 2 of the manual
 *         │                 OsPath, Stat in and out; UnixException "lsetxattr /a/b: …"
 *         ▼
 *  Native                   libc's functions, bound at the first use; errno is read with the call
 *
 *  who reads or writes what others filled            how
 *  RootedFile.read(root, path, Links)                openat2: IN_ROOT as in a chroot, BENEATH
 *                                                    refuses what leads out; regular files only
 *  OpenDirectory                                     single names in a folder that is held open
 *  InRoot.resolve(root, path)                        the real path inside a root
 *  TreeCopy, TreeRemoval                             from the root down, links are never followed
 *  SparseCopy, SparseOutput                          holes stay holes
 *  FdInput                                           a stream of an open file
 *
 *  Pretence.below(folder)   while it is open, owners, modes, attributes and devices that only root
 *                           can give are kept in memory there, and Posix, Xattrs and Ioctls answer
 *                           from that: a user fills a tree as root would. StatCall has both sides
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.linux.posix;
