// What the kernel holds between two ends of a connection: sent by the one, not yet taken by the other.

/**
 * Bytes on their way from a server to each port that talks to it, by that port. What has arrived and was not acknowledged yet is
 * counted at both ends: at most a segment of 64 KiB.
 * @param table what /proc/net/tcp says
 */
export function queuesFrom(table: string, server: number): Map<number, number> {
  const queues = new Map<number, number>();
  for (const line of table.split('\n').slice(1)) {
    const [, local, remote, , queue = ''] = line.trim().split(/\s+/);
    const [sending = 0, receiving = 0] = queue.split(':').map((hex) => Number.parseInt(hex, 16));
    const [here, there] = [portOf(local), portOf(remote)];
    if (here === server) add(queues, there, sending);
    else if (there === server) add(queues, here, receiving);
  }
  return queues;
}

function add(queues: Map<number, number>, port: number, bytes: number): void {
  queues.set(port, (queues.get(port) ?? 0) + bytes);
}

function portOf(address = ''): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}
