package slipway.e2e;

/** What the machine does, in the order in which it does it. */
enum Step {
  FIRST_UPGRADE("upgrade", "switch", "--transport", "oci", "/run/shared/followed"),
  FIRST_FINALIZATION("finalization", "internals", "finalize-staged"),
  UPGRADE("upgrade", "upgrade"),
  FINALIZATION("finalization", "internals", "finalize-staged"),
  ROLLBACK("rollback", "rollback", "--to", "rollback"),
  PRUNE("prune", "delete", "--rollback"),
  EDIT("edit", "kargs", "add", "edited=1"),
  EDIT_FINALIZATION("finalization", "internals", "finalize-staged"),
  RESET("reset", "install", "reset", "--stateroot", "fresh"),
  RESET_FINALIZATION("finalization", "internals", "finalize-staged"),
  REMOVE_STATE("remove-state", "install", "remove-state", "default");

  final String verb;
  final String[] words;

  Step(String verb, String... words) {
    this.verb = verb;
    this.words = words;
  }

  /** Whether the machine starts anew behind it. */
  boolean restarts() {
    return this == ROLLBACK || verb.equals("finalization");
  }
}
