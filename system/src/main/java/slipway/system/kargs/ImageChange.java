package slipway.system.kargs;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A change of the kernel arguments that an image brings. Their order counts, and an argument may
 * stand several times: the last {@code console=} is the one that is talked to, and {@code
 * hugepages=} belongs to the {@code hugepagesz=} before it.
 *
 * @param before what the old image brings
 * @param after what the new one does
 */
record ImageChange(List<String> before, List<String> after) {
  /** In the place of an argument that is taken out; none is empty. */
  private static final String OUT = "";

  /** The arguments of both, in an order that both have; the rest goes, comes or moves. */
  private record Kept(BitSet before, BitSet after) {}

  private Kept kept() {
    Kept kept = new Kept(new BitSet(), new BitSet());
    int from = 0;
    for (int i = 0; i < after.size(); i++) {
      int found = before.subList(from, before.size()).indexOf(after.get(i));
      if (found >= 0) {
        kept.before().set(from + found);
        kept.after().set(i);
        from += found + 1;
      }
    }
    return kept;
  }

  /**
   * A machine's arguments after the change. Those that are not the image's stay, in their order;
   * what the image brings anew comes where the image has it, and before those of the machine that
   * stand behind the image's, so that they still have the last word. What the machine has already
   * does not come again, and what was deleted there does not come back.
   */
  List<String> applyTo(List<String> machine) {
    Kept kept = kept();
    List<String> result = new ArrayList<>(machine);
    List<String> local = new ArrayList<>(machine);
    List<String> deleted = new ArrayList<>();
    int end = 0;
    for (int i = before.size() - 1; i >= 0; i--) {
      int found = local.lastIndexOf(before.get(i));
      if (found >= 0) {
        local.set(found, OUT);
        end = Math.max(end, found + 1);
      }
      if (!kept.before().get(i)) {
        if (found >= 0) {
          result.set(found, OUT);
        } else {
          deleted.add(before.get(i));
        }
      }
    }
    int at = end == 0 ? result.size() : end;
    for (int i = after.size() - 1; i >= 0; i--) {
      String argument = after.get(i);
      if (kept.after().get(i) || deleted.remove(argument) || local.remove(argument)) {
        int found = result.subList(0, at).lastIndexOf(argument);
        at = found < 0 ? at : found;
      } else {
        result.add(at, argument);
      }
    }
    result.removeIf(String::isEmpty);
    return result;
  }
}
