package slipway.oci.registry;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import slipway.base.Limit;
import slipway.base.Problem;

/**
 * Whom to trust: the authorities of the system (of the Java runtime where the system has none) and
 * of the registry's directory below certs.d (containers-certs.d(5)); and the client's own
 * certificate from there.
 */
final class Tls {
  /** Where distributions keep the bundle of authorities (the list of Go's crypto/x509). */
  private static final List<Path> SYSTEM_BUNDLES =
      List.of(
          Path.of("/etc/ssl/certs/ca-certificates.crt"),
          Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
          Path.of("/etc/ssl/ca-bundle.pem"),
          Path.of("/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"),
          Path.of("/etc/ssl/cert.pem"));

  private static final Pattern PEM_KEY =
      Pattern.compile("-----BEGIN ([A-Z ]*)PRIVATE KEY-----([^-]+)-----END");
  private static final char[] NO_PASSWORD = {};

  /** AlgorithmIdentifier of rsaEncryption. */
  private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");

  /** Object identifier of id-ecPublicKey. */
  private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");

  private Tls() {}

  /**
   * @param registry {@code host[:port]} as written in the reference
   */
  static SSLContext context(String registry, RegistryOptions options) {
    try {
      Path directory = directory(registry, options.certificates());
      TrustManager[] trust =
          new TrustManager[] {options.tlsVerify() ? new Lazy(directory) : new TrustAll()};
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(clientKeys(directory), trust, null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new Problem(
          Problem.Kind.ENVIRONMENT, "cannot set up TLS for " + registry + ": " + e.getMessage(), e);
    }
  }

  private static @Nullable Path directory(String registry, List<Path> parents) {
    for (Path parent : parents) {
      Path directory = parent.resolve(registry);
      if (Files.isDirectory(directory)) {
        return directory;
      }
    }
    return null;
  }

  private static X509ExtendedTrustManager trust(@Nullable Path directory)
      throws GeneralSecurityException, IOException {
    KeyStore store = emptyStore();
    int n = 0;
    for (Path bundle : SYSTEM_BUNDLES) {
      if (Files.isReadable(bundle)) {
        n = add(store, n, bundle);
        break;
      }
    }
    if (n == 0) {
      for (X509Certificate c : manager(null).getAcceptedIssuers()) {
        store.setCertificateEntry("runtime" + n++, c);
      }
    }
    for (Path file : files(directory, "*.crt")) {
      n = add(store, n, file);
    }
    return manager(store);
  }

  private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static X509ExtendedTrustManager manager(@Nullable KeyStore store)
      throws GeneralSecurityException {
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
  }

  private static int add(KeyStore store, int n, Path file)
      throws GeneralSecurityException, IOException {
    int next = n;
    for (Certificate c : certificates(file)) {
      store.setCertificateEntry("file" + next++, c);
    }
    return next;
  }

  private static List<Path> files(@Nullable Path directory, String glob) throws IOException {
    List<Path> list = new ArrayList<>();
    if (directory != null) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, glob)) {
        files.forEach(list::add);
      }
    }
    return list;
  }

  private static List<Certificate> certificates(Path file) throws IOException {
    try (InputStream in = new ByteArrayInputStream(bytes(file))) {
      return List.copyOf(CertificateFactory.getInstance("X.509").generateCertificates(in));
    } catch (GeneralSecurityException e) {
      throw new Problem(
          Problem.Kind.INPUT, file + " holds no PEM certificates: " + e.getMessage(), e);
    }
  }

  private static byte[] bytes(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return Limit.SMALL_FILE_BYTES.read(in, file.toString());
    }
  }

  private static javax.net.ssl.KeyManager @Nullable [] clientKeys(@Nullable Path directory)
      throws GeneralSecurityException, IOException {
    List<Path> pairs = files(directory, "*.cert");
    if (pairs.isEmpty()) {
      return null;
    }
    KeyStore store = emptyStore();
    for (Path file : pairs) {
      Path key = file.resolveSibling(file.getFileName().toString().replaceFirst("cert$", "key"));
      if (!Files.exists(key)) {
        throw Problem.input(file + " needs its private key in " + key);
      }
      store.setKeyEntry(
          file.getFileName().toString(),
          privateKey(key),
          NO_PASSWORD,
          certificates(file).toArray(Certificate[]::new));
    }
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }

  /** Reads PKCS #8, and PKCS #1 and SEC 1 by putting the PKCS #8 frame around them. */
  private static PrivateKey privateKey(Path file) throws GeneralSecurityException, IOException {
    String text = new String(bytes(file), StandardCharsets.US_ASCII);
    Matcher pem = PEM_KEY.matcher(text);
    if (!pem.find() || text.contains("ENCRYPTED")) {
      throw Problem.input(
          file
              + " is no private key in PEM without a password; convert it: openssl pkcs8 -topk8 -nocrypt"
              + " -in OLD -out NEW");
    }
    byte[] der = Base64.getMimeDecoder().decode(pem.group(2));
    PKCS8EncodedKeySpec spec =
        new PKCS8EncodedKeySpec(
            switch (pem.group(1).strip()) {
              case "" -> der;
              case "RSA" -> frame(RSA, der);
              case "EC" -> frame(ecAlgorithm(der, file), der);
              case String kind ->
                  throw Problem.input(file + " holds a key of the unknown kind " + kind);
            });
    for (String algorithm : List.of("RSA", "EC", "EdDSA")) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(spec);
      } catch (InvalidKeySpecException e) {
        // Not of this algorithm; the next one.
      }
    }
    throw Problem.input(file + " is neither an RSA, an EC nor an EdDSA key");
  }

  /** PrivateKeyInfo (RFC 5208) with version 0. */
  private static byte[] frame(byte[] algorithm, byte[] key) {
    byte[] version = {2, 1, 0};
    return der(0x30, concat(version, concat(algorithm, der(4, key))));
  }

  /**
   * AlgorithmIdentifier of an ECPrivateKey (RFC 5915): id-ecPublicKey with the curve that the key
   * names in its field [0].
   */
  private static byte[] ecAlgorithm(byte[] key, Path file) {
    ByteBuffer in = ByteBuffer.wrap(key);
    try {
      element(in, 0x30);
      skip(in, 2);
      skip(in, 4);
      byte[] curve = new byte[element(in, 0xa0)];
      in.get(curve);
      return der(0x30, concat(EC, curve));
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new Problem(
          Problem.Kind.INPUT, file + " holds an EC key that does not name its curve", e);
    }
  }

  private static void skip(ByteBuffer in, int tag) {
    int length = element(in, tag);
    in.position(in.position() + length);
  }

  /** Steps over the head of a DER element and gives the length of its content. */
  private static int element(ByteBuffer in, int tag) {
    if ((in.get() & 0xff) != tag) {
      throw new IllegalArgumentException("another element");
    }
    int length = in.get() & 0xff;
    if (length < 0x80) {
      return length;
    }
    if (length > 0x82) {
      throw new IllegalArgumentException("too long for a key");
    }
    int value = 0;
    for (int i = 0x80; i < length; i++) {
      value = value << 8 | in.get() & 0xff;
    }
    return value;
  }

  private static byte[] der(int tag, byte[] content) {
    int n = content.length;
    byte[] head;
    if (n < 0x80) {
      head = new byte[] {(byte) tag, (byte) n};
    } else if (n < 0x100) {
      head = new byte[] {(byte) tag, (byte) 0x81, (byte) n};
    } else if (n < 0x10000) {
      head = new byte[] {(byte) tag, (byte) 0x82, (byte) (n >> 8), (byte) n};
    } else {
      throw Problem.input("the private key is too long");
    }
    return concat(head, content);
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] all = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** Reads the authorities, a third of a second's work, only when a certificate comes. */
  private static final class Lazy extends X509ExtendedTrustManager {
    private final @Nullable Path directory;
    private @Nullable X509ExtendedTrustManager real;

    Lazy(@Nullable Path directory) {
      this.directory = directory;
    }

    private synchronized X509ExtendedTrustManager real() throws CertificateException {
      X509ExtendedTrustManager manager = real;
      if (manager == null) {
        try {
          manager = trust(directory);
        } catch (GeneralSecurityException | IOException | Problem e) {
          throw new CertificateException("the authorities cannot be read: " + e.getMessage(), e);
        }
        real = manager;
      }
      return manager;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      real().checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      real().checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      real().checkClientTrusted(chain, type, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      real().checkServerTrusted(chain, type, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      real().checkClientTrusted(chain, type);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      real().checkServerTrusted(chain, type);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0]; // Only a server's request for a certificate lists them.
    }
  }

  /** Believes everybody; only after the user said so. An extended one also skips host names. */
  private static final class TrustAll extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
