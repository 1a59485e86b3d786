package slipway.host.update;

import java.io.IOException;
import java.util.Optional;
import slipway.host.status.JournalEntry;
import slipway.host.system.HostEnvironment;
import slipway.sysroot.Finalization;
import slipway.sysroot.Sysroot;
import slipway.sysroot.state.BootTrial;
import slipway.sysroot.state.Deployment;

/** Makes what is staged the one of the next boot, and tells it to who looks later. */
record Shutdown(HostEnvironment host, HostVoice voice) {
  Finalization finalizeStaged(Sysroot sysroot) throws IOException {
    Optional<Deployment> staged = sysroot.staged();
    if (staged.isPresent() && !staged.get().locked()) {
      Deployment d = staged.get();
      JournalEntry.of(JournalEntry.FINALIZING, "Finalizing staged deployment")
          .with("OSTREE_OSNAME", d.stateroot())
          .with("OSTREE_CHECKSUM", d.checksum().hex())
          .with("OSTREE_DEPLOYSERIAL", Integer.toString(d.serial()))
          .send(host.system());
    }
    Finalization result = sysroot.finalizeStaged();
    switch (result.outcome()) {
      case NOTHING -> voice.say("No deployment staged for finalization");
      case LOCKED -> voice.say("Not finalizing; deployment is locked for finalization");
      case DONE -> tellFinalized(result, sysroot);
    }
    return result;
  }

  private void tellFinalized(Finalization result, Sysroot sysroot) {
    if (result.etc() != null) {
      voice.say(result.etc().summary());
      JournalEntry.of(JournalEntry.ETC_MERGED, result.etc().summary()).send(host.system());
    }
    String message = "Transaction complete; deployments: " + sysroot.deployments().size();
    JournalEntry.of(JournalEntry.DEPLOYED, message)
        .with("OSTREE_BOOTLOADER", "none")
        .with("OSTREE_N_DEPLOYMENTS", Integer.toString(sysroot.deployments().size()))
        .send(host.system());
    voice.say("Finalized deployment " + result.deployment());
    BootTrial trial = result.trial();
    if (trial != null) {
      voice.say("It has " + trial.tries() + " tries to start well.");
      if (!BootTrial.isCountedByLoader(host.root())) {
        voice.say(
            "notice: The boot loader of this machine does not count them: a start that ends before"
                + " the system counts is not noticed.");
      }
    }
  }
}
