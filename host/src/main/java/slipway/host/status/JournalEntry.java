package slipway.host.status;

import java.util.LinkedHashMap;
import java.util.Map;
import slipway.host.system.SystemActions;

/** The journal entries that tools look for, by their MESSAGE_ID (bootc and ostree). */
public final class JournalEntry {
  public static final String ROLLBACK = "26f3b1eb24464d12aa5e7b544a6b5468";
  public static final String STAGE = "8f7a2b1c3d4e5f6a7b8c9d0e1f2a3b4c";
  public static final String FINALIZING = "e8646cd63dff4625b77909a8e7a40994";
  public static final String ETC_MERGED = "d3863baec13e4449ab0384684a8af3a7";
  public static final String DEPLOYED = "dd440e3e549083b63d0efc7dc15255f1";

  /** Ours: a deployment proved well, a start did not go well, the machine went back by itself. */
  public static final String HEALTHY = "875f12ef4572419e9d32fd94dffa6e26";

  public static final String UNHEALTHY = "a8cffac35db44d7cb536ca3b95a774ee";
  public static final String ROLLED_BACK = "d7bad8a95164433dac9708d4f0081831";

  private final Map<String, String> fields = new LinkedHashMap<>();

  private JournalEntry(String id, String message) {
    fields.put("MESSAGE_ID", id);
    fields.put("MESSAGE", message);
    fields.put("SYSLOG_IDENTIFIER", "bootc");
    fields.put("PRIORITY", "6");
  }

  public static JournalEntry of(String id, String message) {
    return new JournalEntry(id, message);
  }

  public JournalEntry with(String field, String value) {
    fields.put(field, value);
    return this;
  }

  public void send(SystemActions system) {
    system.journal(fields);
  }
}
