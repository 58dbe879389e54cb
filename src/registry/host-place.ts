// Where a host name points, as far as its text tells: this machine, the link, a private network, or anywhere. Names are
// not looked up: what DNS says may differ between this question and the connection, so only literal addresses and
// localhost are judged.
import ipaddr from 'ipaddr.js';

export type Place = 'loopback' | 'link' | 'private' | 'public';

/** Judges the `hostname` of a URL (the URL parser has already made one spelling of `0x7f.1` and the like). */
export function placeOf(hostname: string): Place {
  const name = hostname.replace(/\.$/, '').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  const literal = name.replace(/^\[(.*)\]$/, '$1');
  return ipaddr.isValid(literal) ? placeOfAddress(ipaddr.process(literal)) : 'public';
}

/** This machine and no other: localhost, 127.0.0.0/8, [::1]. */
export function isLoopback(hostname: string): boolean {
  return placeOf(hostname) === 'loopback' && !/^(?:0\.0\.0\.0|\[::\])$/.test(hostname);
}

/** Whether a server at `from` may send us to `to`: never closer to us than it is itself, or it could reach what it cannot see. */
export function maySendTo(from: Place, to: Place): boolean {
  if (to === 'public') return true;
  if (to === 'private') return from === 'private' || from === 'loopback';
  return from === to;
}

function placeOfAddress(address: ipaddr.IPv4 | ipaddr.IPv6): Place {
  switch (address.range()) {
    case 'loopback':
    case 'unspecified': // connects to this machine
      return 'loopback';
    case 'linkLocal':
      return 'link';
    case 'unicast':
      // only 2000::/3 is global; the rest of "unicast" holds such things as ::127.0.0.1
      return address instanceof ipaddr.IPv6 && !address.match(ipaddr.IPv6.parseCIDR('2000::/3'))
        ? 'loopback'
        : 'public';
    default:
      return 'private';
  }
}
