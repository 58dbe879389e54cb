// Numbers for people.
export { formatBytes } from '../core/byte-count.ts';
