package slipway.cloud;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;

/**
 * S3 and EC2 as far as an AMI is made by them, by the API references of both. It keeps what it was
 * given, and fails where it is told to.
 */
public final class AwsStandIn implements AutoCloseable {
  public static final String REGION = "eu-test-1";
  public static final String BUCKET = "images";

  private final HttpServer server;

  /** Names of the calls in their order. */
  final List<String> calls = new CopyOnWriteArrayList<>();

  /** The parameters of EC2's last call of each name. */
  final Map<String, Map<String, String>> parameters = new ConcurrentHashMap<>();

  public final Map<String, byte[]> objects = new ConcurrentHashMap<>();
  final Set<String> uploads = ConcurrentHashMap.newKeySet();
  final Set<String> imports = ConcurrentHashMap.newKeySet();
  public final Set<String> snapshots = ConcurrentHashMap.newKeySet();
  public final Set<String> amis = ConcurrentHashMap.newKeySet();

  /** Whether it keeps what is in objects, and not their names alone. */
  public volatile boolean keepsContent = true;

  private final Map<String, byte[]> parts = Collections.synchronizedMap(new TreeMap<>());

  /** The call that is refused. */
  volatile String refused = "";

  /** What an import says of itself after the first question. */
  volatile String ending = "completed";

  volatile String permission = "FULL_CONTROL";

  public AwsStandIn() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext("/", this::answer);
    server.start();
  }

  public URI address() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] sent = exchange.getRequestBody().readAllBytes();
    String hash = exchange.getRequestHeaders().getFirst("x-amz-content-sha256");
    byte[] body = hash != null && hash.startsWith("STREAMING-") ? whole(sent) : sent;
    Map<String, String> query = form(String.valueOf(exchange.getRequestURI().getRawQuery()));
    Map<String, String> posted =
        exchange.getRequestURI().getPath().equals("/") && body.length > 0
            ? form(new String(body, UTF_8))
            : Map.of();
    String call =
        posted.containsKey("Action")
            ? posted.get("Action")
            : s3(exchange.getRequestMethod(), exchange.getRequestURI().getPath(), query);
    calls.add(call);
    parameters.put(call, posted);
    int status = 200;
    String text;
    if (call.equals(refused)) {
      status = 400;
      text =
          posted.isEmpty()
              ? "<Error><Code>Refused</Code><Message>not today</Message></Error>"
              : "<Response><Errors><Error><Code>Refused</Code><Message>not today</Message></Error>"
                  + "</Errors><RequestID>x</RequestID></Response>";
    } else {
      exchange.getResponseHeaders().set("ETag", "\"tag\"");
      text = done(call, exchange.getRequestURI().getPath(), query, body);
    }
    byte[] bytes = text.getBytes(UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /**
   * The content of signed chunks (S3 API reference, "Signature calculations ... chunked upload").
   */
  private static byte[] whole(byte[] chunks) {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    int at = 0;
    while (at < chunks.length) {
      int end = at;
      while (chunks[end] != '\r') {
        end++;
      }
      int length = Integer.parseInt(new String(chunks, at, end - at, UTF_8).split(";")[0], 16);
      whole.write(chunks, end + 2, length);
      at = end + 2 + length + 2;
    }
    return whole.toByteArray();
  }

  private static String s3(String method, String path, Map<String, String> query) {
    if (path.equals("/")) {
      return "ListBuckets";
    }
    return switch (method) {
      case "GET" -> "GetBucketAcl";
      case "POST" ->
          query.containsKey("uploads") ? "CreateMultipartUpload" : "CompleteMultipartUpload";
      case "PUT" -> "UploadPart";
      default -> query.containsKey("uploadId") ? "AbortMultipartUpload" : "DeleteObject";
    };
  }

  private static Map<String, String> form(String text) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String pair : text.split("&")) {
      String[] sides = pair.split("=", 2);
      values.put(
          URLDecoder.decode(sides[0], UTF_8),
          sides.length < 2 ? "" : URLDecoder.decode(sides[1], UTF_8));
    }
    return values;
  }

  private String done(String call, String path, Map<String, String> query, byte[] body) {
    return switch (call) {
      case "DescribeRegions" ->
          response(
              call,
              "<regionInfo><item><regionName>" + REGION + "</regionName></item></regionInfo>");
      case "ListBuckets" ->
          "<ListAllMyBucketsResult><Buckets><Bucket><Name>"
              + BUCKET
              + "</Name></Bucket></Buckets></ListAllMyBucketsResult>";
      case "GetBucketAcl" ->
          "<AccessControlPolicy><AccessControlList><Grant><Permission>"
              + permission
              + "</Permission></Grant></AccessControlList></AccessControlPolicy>";
      case "DescribeImages" ->
          response(
              call,
              "<imagesSet>"
                  + (amis.isEmpty() ? "" : "<item><imageId>ami-1</imageId></item>")
                  + "</imagesSet>");
      default -> path.equals("/") ? ec2(call) : object(call, path, query, body);
    };
  }

  private String object(String call, String path, Map<String, String> query, byte[] body) {
    switch (call) {
      case "CreateMultipartUpload" -> {
        uploads.add("u");
        return "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
      }
      case "UploadPart" ->
          parts.put(
              "%05d".formatted(Integer.parseInt(query.get("partNumber"))),
              keepsContent ? body : new byte[0]);
      case "CompleteMultipartUpload" -> {
        uploads.clear();
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        parts.values().forEach(whole::writeBytes);
        objects.put(path, whole.toByteArray());
        return "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>";
      }
      case "AbortMultipartUpload" -> uploads.clear();
      case "DeleteObject" -> objects.remove(path);
      default -> throw new IllegalArgumentException(call);
    }
    return "";
  }

  private String ec2(String call) {
    return response(
        call,
        switch (call) {
          case "ImportSnapshot" -> {
            imports.add("import-snap-1");
            yield "<importTaskId>import-snap-1</importTaskId>";
          }
          case "DescribeImportSnapshotTasks" -> task();
          case "RegisterImage" -> {
            amis.add("ami-1");
            yield "<imageId>ami-1</imageId>";
          }
          case "CancelImportTask" -> {
            imports.clear();
            yield "";
          }
          case "DeleteSnapshot" -> {
            snapshots.clear();
            yield "";
          }
          case "DeregisterImage" -> {
            amis.clear();
            yield "";
          }
          default -> "<return>true</return>";
        });
  }

  private String task() {
    boolean first = Collections.frequency(calls, "DescribeImportSnapshotTasks") == 1;
    String status = first ? "active" : ending;
    String more = "<progress>42</progress><statusMessage>a reason</statusMessage>";
    if (status.equals("completed")) {
      imports.clear();
      snapshots.add("snap-1");
      more = "<snapshotId>snap-1</snapshotId>";
    } else if (!status.equals("active")) {
      imports.clear();
    }
    return "<importSnapshotTaskSet><item><importTaskId>import-snap-1</importTaskId><snapshotTaskDetail>"
        + "<status>"
        + status
        + "</status>"
        + more
        + "</snapshotTaskDetail></item></importSnapshotTaskSet>";
  }

  private static String response(String call, String content) {
    return "<%1$sResponse><requestId>x</requestId>%2$s</%1$sResponse>".formatted(call, content);
  }
}
