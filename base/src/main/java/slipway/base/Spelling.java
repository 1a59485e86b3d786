package slipway.base;

import java.util.Collection;
import java.util.Locale;

/** Guesses what a misspelt word was meant to be. */
public final class Spelling {
  /** No word that is known is longer. */
  private static final int LONGEST = 200;

  private Spelling() {}

  /**
   * The end of a message: {@code ; did you mean X?}, or nothing when no word is near.
   *
   * @param prefix written in front of the guess
   */
  public static String hint(String word, Collection<String> known, String prefix) {
    if (word.length() > LONGEST) {
      return "";
    }
    String best = null;
    int nearest = 3;
    for (String candidate : known) {
      if (candidate.length() > LONGEST) {
        continue;
      }
      int distance = distance(word.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT));
      if (distance < nearest && distance < candidate.length()) {
        nearest = distance;
        best = candidate;
      }
    }
    return best == null ? "" : "; did you mean " + prefix + best + "?";
  }

  /** Letters to insert, delete, replace or swap with a neighbour (Damerau). */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
