package slipway.media;

/** How a guest's instructions are run. */
public enum Accelerator {
  /** KVM where {@link KvmProbe} saw a guest run on it, else translation. */
  AUTO,
  /** The processor's own virtualisation. */
  KVM,
  /** Translation in software: works everywhere, several times slower. */
  TCG;

  /** KVM or TCG. */
  Accelerator chosen() {
    return this != AUTO ? this : KvmProbe.ofThisMachine().usable() ? KVM : TCG;
  }
}
