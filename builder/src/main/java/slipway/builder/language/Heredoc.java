package slipway.builder.language;

/**
 * An inline document of a RUN, COPY or ADD: {@code <<NAME}, {@code <<-NAME}, {@code <<"NAME"}.
 *
 * @param name the delimiter without its quotes; for COPY also the name of the file
 * @param content the lines as written, each with its line end
 * @param expand whether variables are replaced: the delimiter was not quoted
 * @param stripTabs whether leading tabs are taken away: {@code <<-}
 */
public record Heredoc(String name, String content, boolean expand, boolean stripTabs) {
  /** The content, without leading tabs when {@code <<-} asked for that. */
  public String text() {
    return stripTabs ? content.replaceAll("(?m)^\t+", "") : content;
  }

  public Heredoc withContent(String other) {
    return new Heredoc(name, other, expand, stripTabs);
  }
}
