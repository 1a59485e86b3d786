package slipway.distro;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import slipway.system.accounts.AccountFile;
import slipway.system.accounts.Sysusers;

/**
 * Users and groups of an image and the sysusers.d(5) lines that make them. A deployment's {@code
 * /etc/passwd} is merged with what an administrator changed, so an entry that a later image brings
 * arrives only through such a line.
 */
final class BaseUsers {
  /** systemd's mark for a locked account that waits for its password. */
  private static final String UNPROVISIONED = "!unprovisioned";

  private BaseUsers() {}

  /**
   * Lines for the entries that none of {@code existing} makes, with their numbers fixed.
   *
   * @param passwd content of /etc/passwd
   * @param group content of /etc/group
   * @param existing contents of the sysusers.d files that are there
   */
  static String missing(String passwd, String group, Collection<String> existing) {
    Sysusers declared = Sysusers.of(existing);
    Map<String, String> groupNames = new HashMap<>();
    List<String> lines = new ArrayList<>();
    for (String[] entry : AccountFile.parse(group).accounts(4)) {
      groupNames.putIfAbsent(entry[2], entry[0]);
      if (!declared.groups().contains(entry[0])) {
        lines.add("g " + entry[0] + " " + entry[2]);
      }
    }
    for (String[] entry : AccountFile.parse(passwd).accounts(7)) {
      if (!declared.users().contains(entry[0])) {
        String primary = groupNames.getOrDefault(entry[3], entry[3]);
        lines.add(
            "u "
                + entry[0]
                + " "
                + entry[2]
                + ":"
                + primary
                + " "
                + quoted(entry[4])
                + " "
                + quoted(entry[5])
                + " "
                + quoted(entry[6]));
      }
    }
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }

  private static String quoted(String value) {
    String plain = value.replace("\"", "").replace("\\", "");
    return plain.isEmpty() ? "-" : "\"" + plain + "\"";
  }

  /**
   * What an image's shadow(5) is: without the date of the last password change, which is the day of
   * the build, and with root locked until the first boot finds a password among its credentials
   * (systemd-firstboot(1), {@code passwd.hashed-password.root}).
   */
  static String imageShadow(String shadow) {
    AccountFile file = AccountFile.parse(shadow);
    for (String[] fields : file.accounts(9)) {
      fields[2] = "";
      if (fields[0].equals("root")) {
        fields[1] = UNPROVISIONED;
      }
    }
    return file.toString();
  }
}
