package slipway.host.status;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import slipway.base.Problem;
import slipway.base.document.SyntaxFault;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * What the status shows of an image's configuration, read without building it in memory (OCI
 * image-spec, config.md and annotations.md).
 *
 * @param version label {@code org.opencontainers.image.version}, else label {@code version}
 * @param created label {@code org.opencontainers.image.created}, else the field; null when it is
 *     not RFC 3339, which is what readers of the status expect
 * @param bootc label {@code containers.bootc}
 */
public record ImageFacts(
    String architecture,
    @Nullable String version,
    @Nullable String created,
    @Nullable String bootc) {
  public static final String VERSION = "org.opencontainers.image.version";
  static final String CREATED = "org.opencontainers.image.created";
  private static final Pattern RFC_3339 =
      Pattern.compile(
          "([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]"
              + "(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\\.[0-9]{1,9})?"
              + "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])");

  public static final String BOOTC = "containers.bootc";

  /** Reads a configuration. */
  public static ImageFacts parse(String json) {
    Reader reader = new Reader();
    try (JsonParser in = StatusDocument.parser(json)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw Problem.corrupt("the image's configuration is not a JSON object");
      }
      reader.read(in);
    } catch (JacksonException e) {
      throw new Problem(
          Problem.Kind.CORRUPT, "the image's configuration is not JSON: " + SyntaxFault.said(e), e);
    }
    return reader.facts();
  }

  private static final class Reader {
    private String architecture = "";
    private @Nullable String created;
    private @Nullable String createdLabel;
    private @Nullable String version;
    private @Nullable String versionLabel;
    private @Nullable String bootc;

    void read(JsonParser in) {
      while (in.nextToken() != JsonToken.END_OBJECT) {
        String field = in.currentName();
        JsonToken value = in.nextToken();
        if (value == JsonToken.VALUE_STRING && field.equals("architecture")) {
          architecture = in.getString();
        } else if (value == JsonToken.VALUE_STRING && field.equals("created")) {
          created = in.getString();
        } else if (value == JsonToken.START_OBJECT && field.equals("config")) {
          config(in);
        } else {
          in.skipChildren();
        }
      }
    }

    private void config(JsonParser in) {
      while (in.nextToken() != JsonToken.END_OBJECT) {
        String field = in.currentName();
        JsonToken value = in.nextToken();
        if (value == JsonToken.START_OBJECT && field.equals("Labels")) {
          labels(in);
        } else {
          in.skipChildren();
        }
      }
    }

    private void labels(JsonParser in) {
      while (in.nextToken() != JsonToken.END_OBJECT) {
        String name = in.currentName();
        if (in.nextToken() != JsonToken.VALUE_STRING) {
          in.skipChildren();
          continue;
        }
        String value = in.getString();
        switch (name) {
          case VERSION -> versionLabel = value;
          case "version" -> version = value;
          case CREATED -> createdLabel = value;
          case BOOTC -> bootc = value;
          default -> {}
        }
      }
    }

    ImageFacts facts() {
      return new ImageFacts(
          new String(architecture.getBytes(UTF_8), UTF_8),
          whole(versionLabel != null ? versionLabel : version),
          time(createdLabel != null ? createdLabel : created),
          bootc);
    }

    /** The text when it is a time. The JDK's parsers of times take long to begin. */
    private static @Nullable String time(@Nullable String text) {
      Matcher time = text == null ? null : RFC_3339.matcher(text);
      if (time == null || !time.matches()) {
        return null;
      }
      try {
        LocalDate.of(number(time, 1), number(time, 2), number(time, 3));
        return text;
      } catch (DateTimeException e) {
        return null;
      }
    }

    private static int number(Matcher found, int group) {
      return Integer.parseInt(found.group(group));
    }

    /** JSON can escape half a character, which no document of ours could hold. */
    private static @Nullable String whole(@Nullable String text) {
      return text == null ? null : new String(text.getBytes(UTF_8), UTF_8);
    }
  }
}
