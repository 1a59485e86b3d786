/**
 * config.toml and its neighbours: parsed strictly, every fault with file and line. {@link
 * slipway.disk.config.DiskConfig} is what a user wants of a machine, {@link
 * slipway.disk.config.InstallConfig} what the image wants of its installation.
 *
 * <pre>
 *  config.toml, config.json of bootc-image-builder ──▶ DiskConfigParser ──▶ DiskConfig
 *
 *    [[customizations.user]]       name, description, password, key, home, shell, groups, uid,
 *                                  gid, expiredate, force_password_reset
 *    [[customizations.sshkey]]     user, key
 *    [[customizations.group]]      name, gid
 *    [[customizations.files]]      path, data, mode, user, group
 *    [[customizations.directories]]  path, mode, user, group, ensure_parents
 *    [[customizations.filesystem]] mountpoint ("/" or "/boot"), minsize or size
 *    [customizations.disk]         type, minsize, start_offset, sector_size
 *    [[customizations.disk.partitions]]  type, minsize, mountpoint, fs_type, label, part_type,
 *                                  part_label, part_uuid, subvolumes (name, mountpoint), name,
 *                                  logical_volumes (name, minsize, fs_type, label, mountpoint)
 *    [customizations.kernel]       append
 *    [customizations]              hostname
 *    [customizations.timezone]     timezone, ntpservers
 *    [customizations.locale]       languages, keyboard
 *    [customizations.services]     enabled, disabled, masked
 *    [customizations.firewall]     ports, services (enabled, disabled), zones (name, sources)
 *
 *  bootc/install/….toml of the image, below /usr/lib, /usr/local/lib, /usr/etc, /etc
 *                                                    ──▶ InstallConfig: file system, arguments
 *                                                        of the kernel, stateroot, boot loader …
 *
 *  config.json, config.toml, disk.yaml of the image, below /usr/lib/bootc-image-builder
 *                                                    ──▶ ImageDisk: how disks of it are divided
 * </pre>
 *
 * {@code AccountKeys}, {@code FileKeys}, {@code FilesystemKeys}, {@code DiskKeys}, {@code
 * VolumeKeys} and {@code SystemKeys} read the tables, {@code ConfigKeys} the values in them. A key
 * that is not known is an error; there is a list of keys of blueprints that do nothing here, with
 * what does, and one of keys that are refused. {@link slipway.disk.config.Password} says what a
 * password may be.
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.config;
