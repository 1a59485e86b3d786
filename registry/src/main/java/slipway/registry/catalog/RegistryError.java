package slipway.registry.catalog;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import slipway.http.HttpProblem;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A refusal in the form of distribution-spec, "Error Codes". */
public final class RegistryError extends HttpProblem {
  /** Old clients take a server for a registry by this header alone. */
  public static final String VERSION_HEADER = "Docker-Distribution-API-Version";

  public static final String VERSION = "registry/2.0";

  private static final long serialVersionUID = 1L;

  /** The codes and the status that goes with each unless told otherwise. */
  public enum Code {
    BLOB_UNKNOWN(404),
    BLOB_UPLOAD_INVALID(400),
    BLOB_UPLOAD_UNKNOWN(404),
    DIGEST_INVALID(400),
    MANIFEST_BLOB_UNKNOWN(400),
    MANIFEST_INVALID(400),
    MANIFEST_UNKNOWN(404),
    NAME_INVALID(400),
    NAME_UNKNOWN(404),
    SIZE_INVALID(400),
    UNAUTHORIZED(401),
    DENIED(403),
    UNSUPPORTED(400),
    TOOMANYREQUESTS(429),
    // Not of the specification, but of the registry that it was taken from.
    UNKNOWN(500),
    UNAVAILABLE(503);

    private final int status;

    Code(int status) {
      this.status = status;
    }
  }

  private final Code code;
  private final @Nullable String detail;

  public RegistryError(Code code, String message) {
    this(code, code.status, message, null, Map.of());
  }

  public RegistryError(
      Code code, int status, String message, @Nullable String detail, Map<String, String> headers) {
    super(status, message, withVersion(headers));
    this.code = code;
    this.detail = detail;
  }

  /**
   * A refusal by the HTTP layer in the registry's form. Its name is not that of the superclass's
   * own, which would stand in for it unseen.
   */
  public static RegistryError ofHttp(HttpProblem problem) {
    Code code =
        switch (problem.status()) {
          case 404 -> Code.NAME_UNKNOWN;
          case 403 -> Code.DENIED;
          case 413 -> Code.SIZE_INVALID;
          case 503 -> Code.UNAVAILABLE;
          default -> problem.status() >= 500 ? Code.UNKNOWN : Code.UNSUPPORTED;
        };
    return new RegistryError(
        code, problem.status(), String.valueOf(problem.getMessage()), null, problem.headers());
  }

  private static Map<String, String> withVersion(Map<String, String> headers) {
    Map<String, String> all = new HashMap<>(headers);
    all.put(VERSION_HEADER, VERSION);
    return all;
  }

  Code code() {
    return code;
  }

  @Override
  public String contentType() {
    return "application/json";
  }

  @Override
  public String body() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    ObjectNode error = root.putArray("errors").addObject();
    error.put("code", code.name()).put("message", getMessage());
    if (detail != null) {
      error.put("detail", detail);
    }
    return root.toString();
  }
}
