package slipway.cli.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import slipway.base.Problem;
import slipway.base.Progress;
import slipway.cloud.AmiRequest;
import slipway.cloud.AmiUpload;
import slipway.disk.DiskType;
import slipway.disk.config.BootLoader;

/** bootc-image-builder's options for sending a disk to Amazon: a mix-in of builds. */
final class AwsOptions {
  @Option(
      names = "--aws-ami-name",
      paramLabel = "NAME",
      description = "of the AMI that is made of the disk, with both options below; for --type ami")
  @Nullable String name;

  @Option(
      names = "--aws-bucket",
      paramLabel = "NAME",
      description = "of S3, in which the disk lies while Amazon imports it")
  @Nullable String bucket;

  @Option(
      names = "--aws-region",
      paramLabel = "NAME",
      description = "such as eu-central-1; credentials are found as Amazon's tools find them")
  @Nullable String region;

  @Option(
      names = "--aws-tag",
      paramLabel = "KEY=VALUE",
      description = "of the AMI and its snapshot; may be repeated")
  Map<String, String> tags = Map.of();

  /** A disk that will be sent, or none. */
  static final class Sending implements AutoCloseable {
    private final @Nullable AmiUpload upload;

    private Sending(@Nullable AmiUpload upload) {
      this.upload = upload;
    }

    /**
     * Asks Amazon whether a disk could be sent.
     *
     * @throws Problem when it could not
     */
    void check() {
      if (upload != null) {
        upload.check();
      }
    }

    /**
     * Sends the disk.
     *
     * @param files of the build, one for each of the types
     * @return what was made, or null when nothing was to be sent
     */
    AmiUpload.@Nullable Made send(List<DiskType> types, List<Path> files, Progress progress)
        throws IOException {
      return upload == null
          ? null
          : upload.upload(files.get(types.indexOf(DiskType.AMI)), progress);
    }

    @Override
    public void close() {
      if (upload != null) {
        upload.close();
      }
    }
  }

  /**
   * For what Amazon takes no image of.
   *
   * @throws Problem of kind USAGE when there are any
   */
  void refuse() {
    if (name != null || bucket != null || region != null || !tags.isEmpty()) {
      throw Problem.usage("aws flags set for non-ami image type (type is set to iso)");
    }
  }

  /**
   * What is to be sent.
   *
   * @param architecture of the disk, in OCI's names
   * @param loader that was asked for, if one was
   * @throws Problem of kind USAGE when options are missing or contradict each other
   */
  Sending of(List<DiskType> types, String architecture, @Nullable BootLoader loader) {
    List<String> missing =
        Stream.of(
                name == null ? "aws-ami-name" : "",
                bucket == null ? "aws-bucket" : "",
                region == null ? "aws-region" : "")
            .filter(flag -> !flag.isEmpty())
            .toList();
    if (missing.size() == 3 && tags.isEmpty()) {
      return new Sending(null);
    }
    if (name == null || bucket == null || region == null) {
      throw Problem.usage(
          "if any flags in the group [aws-region aws-bucket aws-ami-name] are set they must all"
              + " be set; missing ["
              + String.join(" ", missing)
              + "]");
    }
    if (!types.contains(DiskType.AMI)) {
      throw Problem.usage(
          "aws flags set for non-ami image type (type is set to "
              + String.join(",", types.stream().map(DiskType::label).toList())
              + ")");
    }
    boolean bios = architecture.equals("amd64") && loader != BootLoader.SYSTEMD;
    AmiRequest.Firmware firmware = bios ? AmiRequest.Firmware.BOTH : AmiRequest.Firmware.UEFI;
    return new Sending(
        AmiUpload.of(new AmiRequest(name, bucket, region, architecture, firmware, tags)));
  }
}
