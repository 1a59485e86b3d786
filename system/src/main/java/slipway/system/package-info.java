/**
 * What an operating system's tree says of itself, whether it is an image ({@code FileTree}) or a
 * folder on a disk. Nothing of it is run. {@code lint} uses the others, {@code boot} and {@code
 * selinux} use {@code files}, and else they do not use each other.
 *
 * <pre>
 *  boot        usr/lib/modules/VERSION/            KernelLayout: what goes to /boot, its checksum
 *              ostree/prepare-root.conf            PrepareRootConfig: how the root is mounted
 *              boot/EFI/Linux/….efi                     ImageKernel: which kernel, and of what kind
 *  kargs       usr/lib/bootc/kargs.d/….toml        KernelArgumentsDirectory ─▶ KernelArguments
 *  osrelease   usr/lib/os-release                  OsRelease: the name in the boot menu
 *  accounts    etc/passwd, etc/group               ImageAccounts: who USER names
 *              and shadow, gshadow                 AccountFile: any of the four as lines
 *  files       small files by path                 ImageFiles: as a machine would find them
 *  selinux     etc/selinux/NAME/contexts/files     FileLabels: which label the policy has for a path
 *  lint        all of the above                    ImageLint: the rules of a bootable image
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.system;
