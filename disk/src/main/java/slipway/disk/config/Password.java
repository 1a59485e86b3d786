package slipway.disk.config;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.linux.process.Command;

/**
 * What a config gives as a password: plain text, a hash as crypt(5) knows it, or a mark that no
 * password fits (shadow(5)).
 */
public final class Password {
  /** openssl-passwd(1) cuts what is longer without a word. */
  private static final int LONGEST = 256;

  /** The methods of crypt(5) that begin with a dollar sign. */
  private static final Pattern METHOD =
      Pattern.compile("\\$(y|gy|7|2[abxy]|6|5|1|sha1|md5(,[a-z0-9=,]*)?)\\$.*");

  /** Whole hashes of the methods that everybody uses, each as long as its method makes it. */
  private static final Pattern WHOLE =
      Pattern.compile(
          "\\$(6\\$(rounds=[0-9]+\\$)?[^$]{0,16}\\$C{86}|5\\$(rounds=[0-9]+\\$)?[^$]{0,16}\\$C{43}"
                  .replace("C", "[./0-9A-Za-z]")
              + "|1\\$[^$]{0,8}\\$C{22}|2[abxy]\\$[0-9]{2}\\$C{53}".replace("C", "[./0-9A-Za-z]")
              + "|(y|gy)\\$C+\\$C*\\$C{43}|7\\$C+\\$C{43}".replace("C", "[./0-9A-Za-z]")
              + "|(sha1|md5)[,$].+\\$C{22,28})".replace("C", "[./0-9A-Za-z]"));

  /** Printable ASCII without what crypt(5) never puts into a hash. */
  private static final Pattern HASH = Pattern.compile("[\\x21-\\x7e&&[^:;*!\\\\]]+");

  /** Locked: nothing, or a hash behind an exclamation mark, as {@code passwd -l} leaves it. */
  private static final Pattern LOCK = Pattern.compile("\\*|!{1,2}(\\$.*)?|!\\*|\\*LK\\*");

  private Password() {}

  /** Whether it goes to /etc/shadow as it is. */
  static boolean isHash(String password) {
    return METHOD.matcher(password).matches() || LOCK.matcher(password).matches();
  }

  /**
   * What is wrong, to follow the name of the field; null for nothing. The password is not in it.
   */
  static @Nullable String wrong(String password) {
    if (password.indexOf('\n') >= 0 || password.indexOf('\r') >= 0 || password.indexOf(0) >= 0) {
      return "holds a line end or a NUL";
    }
    boolean method = METHOD.matcher(password).matches();
    if (method && !HASH.matcher(password).matches()) {
      return "begins as a hash and holds a colon or another character that no hash has";
    }
    if (method && !WHOLE.matcher(password).matches()) {
      return "begins as a hash and is not a whole one, so nobody could log in; give the whole hash,"
          + " or another password in plain text";
    }
    boolean lock = LOCK.matcher(password).matches();
    if (lock && password.indexOf(':') >= 0) {
      return "begins as a locked hash and holds a colon, which no hash has";
    }
    if (!method && !lock && password.getBytes(StandardCharsets.UTF_8).length > LONGEST) {
      return "has more than " + LONGEST + " bytes; give a shorter one, or its hash";
    }
    return null;
  }

  /** What /etc/shadow holds: plain text by SHA-512 crypt, handed over on stdin. */
  public static String shadow(String password) {
    return isHash(password)
        ? password
        : Command.of("openssl", "passwd", "-6", "-stdin").stdin(password + "\n").output();
  }
}
