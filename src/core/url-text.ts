// URLs as they may be written down: in what is carried, in messages, in logs. User name and password, query and fragment are
// where secrets are (signed URLs, tokens); they are for the request alone.

/** What of a URL is kept. Text that holds nothing else comes back as it is. */
export function recordableUrl(text: string): string {
  const url = new URL(text);
  return url.username === '' && url.password === '' && !/[?#]/.test(text) ? text : `${url.origin}${url.pathname}`;
}

/** With a scheme; without one, but with a user or a query; a user with a password before a host. */
const ADDRESS =
  /[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]*|\/\/[^\s"'<>]*@[^\s"'<>]*|(?<![^\s"'])[^\s"'/@:]+:[^\s"'@]+@(?!sha256:)|[^\s"'<>?]+\?[^\s"'<>]*=[^\s"'<>]*/gi;

/** Characters of a text that are looked at, and shown: patterns take long for more. */
const LONGEST_TEXT = 2000;

/** For messages about text that was meant as a URL, however malformed, or has some in it. At most its first 2000 characters. */
export function withoutUrlSecrets(text: string): string {
  return text
    .slice(0, LONGEST_TEXT)
    .replace(ADDRESS, (address) => address.replace(/^(.*?\/\/|)[^/?#]*@/, '$1***@').replace(/[?#].*$/, '?***'));
}

/** Shorter values are words, not secrets. */
const SHORTEST_SECRET = 6;

/** What a server says, without what of its URL, or of a header of ours, it repeats. */
export function withoutSecretsOf(url: URL, text: string): string {
  const values = [...url.searchParams.values(), ...url.search.split(/[?&=]/)];
  const secrets = values.filter((value) => value.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length);
  const said = secrets.reduce((left, secret) => left.replaceAll(secret, '***'), text);
  return said.replace(/\b(Basic|Bearer)(\s+)[A-Za-z0-9+/=._~-]{8,}/gi, '$1$2***');
}
