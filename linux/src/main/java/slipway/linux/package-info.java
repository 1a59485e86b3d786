/**
 * What the JDK lacks. Foreign functions are named in this room and nowhere else.
 *
 * <pre>
 *  process   Command: an argument list, what it reads, its time; DiskUse; Seclusion: shut in
 *  mount     Mount, MountNamespace: mounts that end with what made them     ─┐
 *  loop      LoopDevice: a part of a file as a block device                 ─┼▶ posix
 *  lock      Flock; ScratchFolder: temporary folders that somebody holds    ─┘
 *
 *  posix     OsPath      names as bytes, as layers have them
 *            Posix       system calls by their names; UnixException carries errno
 *            Native      how a function is bound: one shape of handle for all
 *            Pretence    a folder that a user fills as only root can
 *            files that strangers filled:
 *              RootedFile        read a file, no link leads out
 *              OpenDirectory     a folder held open, InRoot a path inside a root
 *              TreeCopy, SparseCopy, TreeRemoval
 * </pre>
 *
 * Everything here blocks. What ends with this process whatever ends it says so in its Javadoc:
 * mounts, loop devices, locks.
 */
@org.jspecify.annotations.NullMarked
package slipway.linux;
