/**
 * The labels that an image's SELinux policy gives to files. {@link
 * slipway.system.selinux.FileLabels} reads the policy's text files; its binary ones are left alone.
 *
 * <pre>
 *  etc/selinux/config                                            SELINUX=, SELINUXTYPE=NAME
 *  etc/selinux/NAME/contexts/files/file_contexts                 PATTERN [-KIND] LABEL
 *  etc/selinux/NAME/contexts/files/file_contexts.homedirs, .local
 *  etc/selinux/NAME/contexts/files/file_contexts.subs, .subs_dist   PATH INSTEAD
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.system.selinux;
