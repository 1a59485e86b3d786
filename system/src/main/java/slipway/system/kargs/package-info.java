/**
 * Kernel arguments as a value, {@link slipway.system.kargs.KernelArguments}, and those that an
 * image brings, {@link slipway.system.kargs.KernelArgumentsDirectory}.
 *
 * <pre>
 *  usr/lib/bootc/kargs.d/….toml, in the order of names
 *    kargs = ["console=ttyS0", "a=b c"]      one string may hold several
 *    match-architectures = ["x86_64"]        in the kernel's words; without it: all
 *
 *  at an upgrade (followImage): the machine's arguments, without what the old image brought and the
 *  new one does not, with what the new one brings and the old one did not, in the image's order and
 *  before what the machine has behind the image's
 * </pre>
 */
@org.jspecify.annotations.NullMarked
package slipway.system.kargs;
