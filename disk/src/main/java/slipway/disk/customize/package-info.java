/**
 * What a configuration changes in a machine that does not run yet: users, groups, files, mounts.
 * Entry: {@link slipway.disk.customize.Customizer}. No program of the image is run, and no link of
 * it is followed where something is written.
 *
 * <pre>
 *  DiskConfig, DiskPlan ─▶ Customizer.apply
 *      fstab                 /boot by its id; other lines of the image stay
 *      Accounts
 *        AccountTable          passwd, group, shadow, gshadow of the deployment's /etc
 *        Homes                 home folders in /var, from /etc/skel; .ssh/authorized_keys
 *      hostname, locale.conf, localtime, vconsole.conf
 *      TimeServers           of chrony or systemd-timesyncd
 *      EnabledUnits          links in /etc/systemd/system, and a preset
 *      FirewallZones         zones of firewalld
 *      directories, files    below /etc and /root
 *                              │
 *                              ▼
 *                            OwnedFiles: writes with owner and mode, refuses links
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.disk.customize;
