package slipway.media;

import slipway.base.Problem;

/** How a guest's instructions are run. */
public enum Accelerator {
  /** KVM where {@link KvmProbe} saw a guest run on it, else translation. */
  AUTO,
  /** The processor's own virtualisation. */
  KVM,
  /** Translation in software: works everywhere, several times slower. */
  TCG;

  /**
   * KVM or TCG.
   *
   * @throws Problem of kind USAGE when KVM was asked for and runs no such guests
   */
  Accelerator chosen(Architecture guest) {
    boolean foreign = guest != Architecture.host();
    if (this == KVM && foreign) {
      throw Problem.usage(
          "KVM runs guests of this computer's own processor alone, and the machine is of "
              + guest.label()
              + "; leave out --accel kvm");
    }
    if (this != AUTO) {
      return this;
    }
    return !foreign && KvmProbe.ofThisMachine().usable() ? KVM : TCG;
  }
}
