package slipway.cli.disk;

import java.util.Locale;
import slipway.cli.output.JsonText;
import slipway.media.kickstart.KickstartCommand;
import slipway.media.kickstart.KickstartFile;
import slipway.media.kickstart.KickstartFinding;
import slipway.media.kickstart.KickstartItem;
import slipway.media.kickstart.KickstartPlace;
import slipway.media.kickstart.KickstartSection;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** The JSON of {@code slipway kickstart}. */
final class KickstartJson {
  private KickstartJson() {}

  /** What is in a file, and what is to be said of it. */
  static String of(KickstartFile file) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("file", file.name())
        .put("version", file.version().name())
        .put("valid", file.isValid());
    ObjectNode images = node.putObject("installs");
    file.items().forEach(item -> image(images, item));
    ArrayNode sections = node.putArray("sections");
    file.all(KickstartSection.class).forEach(section -> sections.add(section.name()));
    ArrayNode includes = node.putArray("includes");
    file.all(KickstartItem.Inclusion.class)
        .forEach(
            inclusion ->
                includes
                    .addObject()
                    .put("target", inclusion.target())
                    .put("followed", inclusion.followed()));
    ArrayNode findings = node.putArray("findings");
    file.findings().forEach(finding -> finding(findings.addObject(), finding));
    return JsonText.pretty(node);
  }

  private static void image(ObjectNode images, KickstartItem item) {
    switch (item) {
      case KickstartCommand.OstreeContainer container ->
          images.put("ostreecontainer", container.url());
      case KickstartCommand.Bootc bootc -> images.put("bootc", bootc.source());
      case KickstartCommand.OstreeSetup setup -> images.put("ostreesetup", setup.url());
      default -> {}
    }
  }

  private static void finding(ObjectNode node, KickstartFinding finding) {
    KickstartPlace at = finding.at();
    node.put("severity", finding.severity().name().toLowerCase(Locale.ROOT))
        .put("file", at.file())
        .put("line", at.line())
        .put("column", at.column())
        .put("message", finding.message());
    if (!finding.fix().isEmpty()) {
      node.put("fix", finding.fix());
    }
  }
}
