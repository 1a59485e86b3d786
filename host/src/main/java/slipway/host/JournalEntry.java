package slipway.host;

import java.util.LinkedHashMap;
import java.util.Map;

/** The journal entries that tools look for, by their MESSAGE_ID (bootc and ostree). */
final class JournalEntry {
  static final String ROLLBACK = "26f3b1eb24464d12aa5e7b544a6b5468";
  static final String STAGE = "8f7a2b1c3d4e5f6a7b8c9d0e1f2a3b4c";
  static final String FINALIZING = "e8646cd63dff4625b77909a8e7a40994";
  static final String ETC_MERGED = "d3863baec13e4449ab0384684a8af3a7";
  static final String DEPLOYED = "dd440e3e549083b63d0efc7dc15255f1";

  private final Map<String, String> fields = new LinkedHashMap<>();

  private JournalEntry(String id, String message) {
    fields.put("MESSAGE_ID", id);
    fields.put("MESSAGE", message);
    fields.put("SYSLOG_IDENTIFIER", "bootc");
    fields.put("PRIORITY", "6");
  }

  static JournalEntry of(String id, String message) {
    return new JournalEntry(id, message);
  }

  JournalEntry with(String field, String value) {
    fields.put(field, value);
    return this;
  }

  void send(SystemActions system) {
    system.journal(fields);
  }
}
