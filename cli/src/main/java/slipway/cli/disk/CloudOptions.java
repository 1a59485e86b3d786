package slipway.cli.disk;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.media.CloudData;

/** Options of a machine whose image looks for a cloud around it. */
final class CloudOptions {
  /** More than any file of public keys has. */
  private static final int MOST_KEYS = 64 * 1024;

  @Option(
      names = "--cloud",
      paramLabel = "ec2|nocloud",
      description =
          "tell the machine's id, keys and user data as Amazon's EC2 does, by a service at"
              + " 169.254.169.254, or by a disk called CIDATA; for images with cloud-init")
  CloudData.@Nullable Cloud cloud;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      description =
          "public SSH key whose holder the image shall admit, beside the machine's own; or the"
              + " private one that has FILE.pub beside it")
  @Nullable Path key;

  @Option(
      names = "--user-data",
      paramLabel = "FILE",
      description = "of the machine, such as a #cloud-config")
  @Nullable Path userData;

  /**
   * What they say, or null when the machine is in no cloud.
   *
   * @param host name of the machine
   * @throws Problem of kind USAGE when they do not fit together
   */
  @Nullable CloudData of(String host) throws IOException {
    CloudData.Cloud where = cloud;
    if (where == null) {
      String other = key != null ? "--key" : userData != null ? "--user-data" : null;
      if (other != null) {
        throw Problem.usage(
            other + " is told by a cloud; add --cloud ec2 or --cloud nocloud, as the image looks");
      }
      return null;
    }
    Path data = userData;
    return CloudData.of(
        where,
        host,
        key == null ? List.of() : keys(key),
        data == null ? null : read(data, "--user-data", where.mostUserData() + 1));
  }

  private static List<String> keys(Path file) throws IOException {
    String text = new String(read(file, "--key", MOST_KEYS), StandardCharsets.UTF_8);
    if (text.startsWith("-----BEGIN ")) {
      Path other = file.resolveSibling(file.getFileName() + ".pub");
      if (!Files.exists(other)) {
        throw Problem.usage(
            "--key %s is a private key, and there is no %s; ssh-keygen -y -f %s prints the public"
                    .formatted(file, other, file)
                + " one");
      }
      return keys(other);
    }
    List<String> lines =
        text.lines().map(String::strip).filter(l -> !l.isEmpty() && !l.startsWith("#")).toList();
    if (lines.isEmpty() || !lines.stream().allMatch(CloudOptions::isKey)) {
      throw Problem.usage(
          "--key "
              + file
              + " holds no SSH public key; expected one such as \"ssh-ed25519 AAAA…\", which"
              + " ssh-keygen writes to a file .pub");
    }
    return lines;
  }

  private static boolean isKey(String line) {
    return line.matches("(.* )?(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+( .*)?");
  }

  private static byte[] read(Path file, String option, int most) throws IOException {
    if (!Files.isReadable(file) || Files.isDirectory(file)) {
      throw Problem.usage(option + " " + file + " cannot be read; name a file that can");
    }
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(most);
    }
  }
}
