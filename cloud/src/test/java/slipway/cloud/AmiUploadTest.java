package slipway.cloud;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import slipway.base.Problem;
import slipway.base.Progress;

class AmiUploadTest {
  private static final List<String> SETTINGS =
      List.of("aws.accessKeyId", "aws.secretAccessKey", "aws.disableEc2Metadata");

  @TempDir Path dir;

  private AwsStandIn aws;

  @BeforeEach
  void begin() throws IOException {
    // Of this process alone: nobody's credentials are used, and no address outside is asked.
    SETTINGS.forEach(name -> System.setProperty(name, "true"));
    aws = new AwsStandIn();
  }

  @AfterEach
  void end() {
    aws.close();
    SETTINGS.forEach(System::clearProperty);
  }

  private static AmiRequest request(String bucket, String region) {
    return new AmiRequest(
        "web 1", bucket, region, "amd64", AmiRequest.Firmware.BOTH, Map.of("team", "a b"));
  }

  private AmiUpload upload() {
    return upload(request(AwsStandIn.BUCKET, AwsStandIn.REGION));
  }

  private AmiUpload upload(AmiRequest request) {
    return AmiUpload.of(request, aws.address(), Duration.ofMillis(1));
  }

  private Path disk(int bytes) throws IOException {
    byte[] content = new byte[bytes];
    new Random(1).nextBytes(content);
    return Files.write(dir.resolve("disk.raw"), content);
  }

  @Test
  void aDiskBecomesAnAmi() throws IOException {
    Path disk = disk(40_000_000);
    List<byte[]> kept = new ArrayList<>();
    Progress watching =
        new Progress() {
          @Override
          public Task start(String name, long total) {
            return Progress.NONE.start(name, total);
          }

          @Override
          public void note(String line) {}

          @Override
          public Phases phases(String name) {
            kept.addAll(aws.objects.values());
            return Progress.NONE.phases(name);
          }
        };
    try (AmiUpload upload = upload()) {
      upload.check();
      assertThat(upload.upload(disk, watching)).isEqualTo(new AmiUpload.Made("ami-1", "snap-1"));
    }
    assertThat(kept).hasSize(1);
    assertThat(Arrays.mismatch(kept.getFirst(), Files.readAllBytes(disk))).isEqualTo(-1);
    assertThat(aws.calls)
        .containsExactly(
            "DescribeRegions",
            "ListBuckets",
            "GetBucketAcl",
            "DescribeImages",
            "CreateMultipartUpload",
            "UploadPart",
            "UploadPart",
            "UploadPart",
            "CompleteMultipartUpload",
            "ImportSnapshot",
            "DescribeImportSnapshotTasks",
            "DescribeImportSnapshotTasks",
            "CreateTags",
            "RegisterImage",
            "CreateTags",
            "DeleteObject");
    assertThat(aws.parameters.get("RegisterImage"))
        .containsEntry("Name", "web 1")
        .containsEntry("Architecture", "x86_64")
        .containsEntry("BootMode", "uefi-preferred")
        .containsEntry("VirtualizationType", "hvm")
        .containsEntry("RootDeviceName", "/dev/sda1")
        .containsEntry("EnaSupport", "true")
        .containsEntry("BlockDeviceMapping.1.DeviceName", "/dev/sda1")
        .containsEntry("BlockDeviceMapping.1.Ebs.SnapshotId", "snap-1");
    assertThat(aws.parameters.get("ImportSnapshot"))
        .containsEntry("Description", "Image Builder AWS Import of web 1")
        .containsEntry("DiskContainer.UserBucket.S3Bucket", AwsStandIn.BUCKET)
        .hasEntrySatisfying(
            "DiskContainer.UserBucket.S3Key",
            key -> assertThat(key).matches("[0-9a-f-]{36}-web 1"));
    assertThat(aws.parameters.get("CreateTags").values()).contains("Name", "web 1", "team", "a b");
    assertThat(aws.objects).isEmpty();
    assertThat(aws.amis).hasSize(1);
    assertThat(aws.snapshots).hasSize(1);
  }

  /** After a refused call all that those before it have made is gone. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "ImportSnapshot",
        "DescribeImportSnapshotTasks",
        "CreateTags",
        "RegisterImage"
      })
  void aFailureLeavesNothing(String call) throws IOException {
    aws.refused = call;
    Path disk = disk(20_000_000);
    try (AmiUpload upload = upload()) {
      assertThatThrownBy(() -> upload.upload(disk, Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessageEndingWith("AWS says not today (Refused)");
    }
    assertNothingIsLeft();
  }

  private void assertNothingIsLeft() {
    assertThat(aws.uploads).isEmpty();
    assertThat(aws.objects).isEmpty();
    assertThat(aws.imports).isEmpty();
    assertThat(aws.snapshots).isEmpty();
    assertThat(aws.amis).isEmpty();
  }

  @Test
  void whatCannotBeRemovedAtTheEndIsNamed() throws IOException {
    aws.refused = "DeleteObject";
    List<String> notes = new ArrayList<>();
    Progress listening =
        new Progress() {
          @Override
          public Task start(String name, long total) {
            return Progress.NONE.start(name, total);
          }

          @Override
          public void note(String line) {
            notes.add(line);
          }
        };
    try (AmiUpload upload = upload()) {
      assertThat(upload.upload(disk(1000), listening).ami()).isEqualTo("ami-1");
    }
    assertThat(notes).hasSize(1);
    assertThat(notes.getFirst())
        .startsWith("removing the object s3://images/")
        .endsWith("AWS says not today (Refused); remove it yourself");
  }

  @Test
  void anImportThatFailsSaysWhy() throws IOException {
    aws.ending = "deleted";
    Path disk = disk(1000);
    try (AmiUpload upload = upload()) {
      assertThatThrownBy(() -> upload.upload(disk, Progress.NONE))
          .isInstanceOf(Problem.class)
          .hasMessage("Unable to import snapshot, task result: deleted, msg: a reason");
    }
    assertNothingIsLeft();
  }

  @Test
  void whoIsInterruptedLeavesNothing() throws Exception {
    aws.ending = "active";
    Path disk = disk(1000);
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    try (AmiUpload upload = upload()) {
      Thread thread =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      upload.upload(disk, Progress.NONE);
                    } catch (IOException | RuntimeException e) {
                      thrown.set(e);
                    }
                  });
      while (aws.calls.stream().filter("DescribeImportSnapshotTasks"::equals).count() < 3) {
        Thread.onSpinWait();
      }
      thread.interrupt();
      thread.join();
    }
    assertThat(thrown.get()).isInstanceOf(Problem.class).hasMessageContaining("interrupted");
    assertNothingIsLeft();
  }

  @Test
  void whatIsNotThereIsToldBeforeADiskIsBuilt() {
    refused(request(AwsStandIn.BUCKET, "eu-none-1"), "given AWS region 'eu-none-1' not found");
    refused(
        request("other", AwsStandIn.REGION), "bucket 'other' not found in the given AWS account");
    aws.permission = "READ";
    AmiRequest request = request(AwsStandIn.BUCKET, AwsStandIn.REGION);
    refused(request, "you don't have write permissions to bucket 'images' with the given AWS");
    aws.permission = "WRITE";
    aws.amis.add("ami-1");
    refused(request, "there is an AMI named 'web 1' in eu-test-1 already");
    aws.close();
    refused(request, "AWS cannot be reached");
    System.clearProperty("aws.accessKeyId");
    refused(request, "there are no credentials for AWS; set AWS_PROFILE");
  }

  private void refused(AmiRequest request, String sentence) {
    try (AmiUpload upload = upload(request)) {
      assertThatThrownBy(upload::check).isInstanceOf(Problem.class).hasMessageContaining(sentence);
    }
  }

  @Test
  void namesThatAwsRefusesAreRefusedHere() {
    for (String name : List.of("", "ab", "a".repeat(129), "a;b", "a\nb")) {
      assertThatThrownBy(() -> of(name, "images", "eu-test-1", "amd64", Map.of()))
          .isInstanceOf(Problem.class)
          .hasMessageStartingWith("--aws-ami-name");
    }
    assertThatThrownBy(() -> of("abc", "Images", "eu-test-1", "amd64", Map.of()))
        .hasMessageStartingWith("--aws-bucket");
    assertThatThrownBy(() -> of("abc", "images", "../x", "amd64", Map.of()))
        .hasMessageStartingWith("--aws-region");
    assertThatThrownBy(() -> of("abc", "images", "eu-test-1", "s390x", Map.of()))
        .hasMessageStartingWith("EC2 has no machines of s390x");
    assertThatThrownBy(() -> of("abc", "images", "eu-test-1", "amd64", Map.of("aws:x", "y")))
        .hasMessageStartingWith("the tag aws:x");
  }

  private static AmiRequest of(
      String name, String bucket, String region, String architecture, Map<String, String> tags) {
    return new AmiRequest(name, bucket, region, architecture, AmiRequest.Firmware.UEFI, tags);
  }

  @Test
  void partsAreAsFewAsS3Takes() {
    for (long size : new long[] {1, 16 << 20, 10L << 30, 160L << 30, 5L << 40}) {
      long part = S3Parts.partSize(size);
      assertThat(part).isBetween(16L << 20, 5L << 30);
      assertThat((size + part - 1) / part).isLessThanOrEqualTo(10_000);
    }
  }
}
