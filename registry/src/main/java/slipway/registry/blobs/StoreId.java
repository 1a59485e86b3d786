package slipway.registry.blobs;

import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * The id that the journal and the blobs of one registry share, so that neither is taken for that of
 * another: a UUID in text form.
 */
public final class StoreId {
  private static final Pattern ID = Pattern.compile("[0-9a-f-]{36}");

  private StoreId() {}

  /** Whether a text is one. */
  public static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  /** What to do about a registry that is damaged; the end of a sentence. */
  public static String repair(Path root) {
    return "restore it from a backup, or run: slipway registry repair --storage " + root;
  }
}
