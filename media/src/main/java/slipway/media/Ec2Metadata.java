package slipway.media;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import slipway.linux.posix.OsPath;
import slipway.linux.posix.Posix;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * The metadata service of Amazon's EC2 for one machine (EC2 User Guide, "Use the Instance Metadata
 * Service"), versions 1 and 2. QEMU's user network runs {@link #SCRIPT} for each connection of the
 * guest to it, which gives out files of a folder that is written when the machine starts; so
 * nothing else runs beside the machine.
 *
 * <pre>
 *  STATE/ec2/
 *    answer.sh            SCRIPT
 *    token                what a PUT to /latest/api/token gets, and later requests may show
 *    served/.list         the versions; .list is what a folder's name is answered with
 *    served/latest/       meta-data/…, user-data, dynamic/instance-identity/document
 *    served/2021-03-23    and other versions: links to latest
 * </pre>
 */
final class Ec2Metadata {
  private static final List<String> VERSIONS =
      List.of("1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23");

  /**
   * A user network answers only for addresses of its own, so the machine lives where the service
   * does: 169.254.169.15, and this machine is 169.254.169.2 to it.
   */
  private static final String NET = "169.254.169.0/24";

  private static final String ADDRESS = "169.254.169.15";
  private static final String SERVICE = "169.254.169.254:80";

  /** QEMU's for its first card. */
  private static final String MAC = "52:54:00:12:34:56";

  private static final String TYPE = "t3.small";
  private static final String REGION = "us-east-1";
  private static final String ZONE = REGION + "a";
  private static final String ACCOUNT = "000000000000";
  private static final String AMI = "ami-00000000000000000";

  /**
   * Answers one request on stdin. What it says is a stranger's: a path is followed when it has
   * nothing but plain characters and no name that begins with a dot; memory and time are bounded.
   */
  static final String SCRIPT =
      """
      # Answers one HTTP request for the metadata of a machine. Arguments: the folder.
      exec 2> /dev/null
      ulimit -v 262144
      LC_ALL=C
      return=$(printf '\\r')
      served=$1/served
      read -r token < "$1/token"

      answer() {
        size=0
        test -z "$2" || size=$(($(wc -c < "$2")))
        printf 'HTTP/1.1 %s\\r\\nServer: EC2ws\\r\\nContent-Type: text/plain\\r\\n' "$1"
        printf 'Content-Length: %s\\r\\n%sConnection: close\\r\\n\\r\\n' "$size" "$more"
        test -z "$2" || test "$method" = HEAD || cat "$2"
        exit 0
      }

      read -r method path version || exit 0
      shown= ttl= forwarded= lines=0 more=
      while read -r line; do
        line=${line%"$return"}
        test -n "$line" || break
        lines=$((lines + 1))
        test "$lines" -le 100 || exit 0
        case $line in [Xx]-*) ;; *) continue ;; esac
        value=${line#*:}
        value=${value# }
        case $(printf '%s' "${line%%:*}" | tr A-Z a-z) in
          x-aws-ec2-metadata-token) shown=$value ;;
          x-aws-ec2-metadata-token-ttl-seconds) ttl=$value ;;
          x-forwarded-for) forwarded=yes ;;
        esac
      done

      path=${path%%\\?*}
      if test "$method" = PUT; then
        test "$path" = /latest/api/token || answer '404 Not Found' ''
        test -z "$forwarded" || answer '403 Forbidden' ''
        case $ttl in '' | *[!0-9]* | ??????*) answer '400 Bad Request' '' ;; esac
        test "$ttl" -ge 1 && test "$ttl" -le 21600 || answer '400 Bad Request' ''
        more=$(printf 'X-aws-ec2-metadata-token-ttl-seconds: %s\\r\\n.' "$ttl")
        more=${more%.}
        answer '200 OK' "$1/token"
      fi
      case $method in GET | HEAD) ;; *) answer '405 Method Not Allowed' '' ;; esac
      test -z "$shown" || test "$shown" = "$token" || answer '401 Unauthorized' ''
      case $path in [!/]* | *[!A-Za-z0-9:._/-]* | */.*) answer '404 Not Found' '' ;; esac
      path=${path%/}
      if test -f "$served$path"; then answer '200 OK' "$served$path"; fi
      if test -f "$served$path/.list"; then answer '200 OK' "$served$path/.list"; fi
      answer '404 Not Found' ''
      """;

  private Ec2Metadata() {}

  static CloudData.Wiring prepare(CloudData data, Path state) throws IOException {
    Path folder = state.resolve("ec2");
    if (Files.exists(folder)) {
      Posix.removeTree(OsPath.of(folder));
    }
    Path latest = Files.createDirectories(folder.resolve("served/latest"));
    Path script = Files.writeString(folder.resolve("answer.sh"), SCRIPT);
    // No secret: whoever can ask for it gets it.
    Files.writeString(folder.resolve("token"), data.instance());
    Map<String, byte[]> files = new LinkedHashMap<>();
    metaData(data)
        .forEach(
            (name, text) -> files.put("meta-data/" + name, text.getBytes(StandardCharsets.UTF_8)));
    files.put("dynamic/instance-identity/document", identity(data));
    byte[] user = data.userDataBytes();
    if (user != null) {
      files.put("user-data", user);
    }
    write(latest, files);
    list(latest, files.keySet(), data.keys().size());
    for (String version : VERSIONS) {
      Files.createSymbolicLink(folder.resolve("served").resolve(version), Path.of("latest"));
    }
    Files.writeString(folder.resolve("served/.list"), String.join("\n", VERSIONS) + "\nlatest");
    String command =
        "timeout 30 sh %s %s"
            .formatted(quoted(script.toAbsolutePath()), quoted(folder.toAbsolutePath()));
    return new CloudData.Wiring(
        ",net=%s,dhcpstart=%s,guestfwd=tcp:%s-cmd:%s"
            .formatted(NET, ADDRESS, SERVICE, command.replace(",", ",,")),
        firmware(data));
  }

  /** Beneath {@code meta-data/}; cloud-init warns when a card of the machine is not described. */
  private static Map<String, String> metaData(CloudData data) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("ami-id", AMI);
    all.put("ami-launch-index", "0");
    all.put("ami-manifest-path", "(unknown)");
    all.put("hostname", data.host());
    all.put("instance-action", "none");
    all.put("instance-id", data.instance());
    all.put("instance-life-cycle", "on-demand");
    all.put("instance-type", TYPE);
    all.put("local-hostname", data.host());
    all.put("local-ipv4", ADDRESS);
    all.put("mac", MAC);
    String card = "network/interfaces/macs/" + MAC + "/";
    all.put(card + "device-number", "0");
    all.put(card + "interface-id", "eni-" + data.instance().substring(2));
    all.put(card + "local-hostname", data.host());
    all.put(card + "local-ipv4s", ADDRESS);
    all.put(card + "mac", MAC);
    all.put(card + "owner-id", ACCOUNT);
    all.put(card + "subnet-ipv4-cidr-block", NET);
    all.put(card + "vpc-ipv4-cidr-block", NET);
    all.put("placement/availability-zone", ZONE);
    all.put("placement/region", REGION);
    for (int i = 0; i < data.keys().size(); i++) {
      all.put("public-keys/" + i + "/openssh-key", data.keys().get(i));
    }
    all.put("reservation-id", "r-" + data.instance().substring(2));
    all.put("security-groups", "default");
    all.put("services/domain", "amazonaws.com");
    all.put("services/partition", "aws");
    return all;
  }

  private static byte[] identity(CloudData data) {
    ObjectNode node = new JsonMapper().createObjectNode();
    node.put("accountId", ACCOUNT).put("architecture", "x86_64").put("availabilityZone", ZONE);
    node.put("imageId", AMI).put("instanceId", data.instance()).put("instanceType", TYPE);
    node.put("privateIp", ADDRESS).put("region", REGION).put("version", "2017-09-30");
    return node.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void write(Path top, Map<String, byte[]> files) throws IOException {
    for (Map.Entry<String, byte[]> each : files.entrySet()) {
      Path file = top.resolve(each.getKey());
      Files.createDirectories(file.resolveSibling("."));
      Files.write(file, each.getValue());
    }
  }

  /** Says in each folder what is in it; keys are told with their names. */
  private static void list(Path top, Set<String> files, int keys) throws IOException {
    Map<String, Set<String>> lists = new TreeMap<>();
    for (String file : files) {
      String folder = "";
      for (String part : file.split("(?<=/)")) {
        lists.computeIfAbsent(folder, f -> new LinkedHashSet<>()).add(part);
        folder += part;
      }
    }
    if (keys > 0) {
      lists.put(
          "meta-data/public-keys/",
          IntStream.range(0, keys)
              .mapToObj(i -> i + "=key-" + i)
              .collect(Collectors.toCollection(LinkedHashSet::new)));
    }
    for (Map.Entry<String, Set<String>> each : lists.entrySet()) {
      Files.writeString(
          top.resolve(each.getKey()).resolve(".list"), String.join("\n", each.getValue()));
    }
  }

  /** By which guests know where they are, before they have a network. */
  private static List<String> firmware(CloudData data) {
    String id = UUID.nameUUIDFromBytes(data.instance().getBytes(StandardCharsets.UTF_8)).toString();
    String uuid = "ec2" + id.substring(3);
    return List.of(
        "-smbios",
        "type=1,manufacturer=Amazon EC2,product=%s,uuid=%s,serial=%s".formatted(TYPE, uuid, uuid),
        "-smbios",
        "type=2,manufacturer=Amazon EC2,asset=" + data.instance().replace(",", ",,"),
        "-smbios",
        "type=3,manufacturer=Amazon EC2,asset=Amazon EC2");
  }

  /** As QEMU takes its command apart, which is a shell's way. */
  private static String quoted(Path path) {
    return "'" + path.toString().replace("'", "'\\''") + "'";
  }
}
