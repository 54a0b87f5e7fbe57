/** The piscina task of the ring bench: it gives back what it was given. */
export default function echo(message: { type: number; a: number }): { type: number; a: number } {
  return message;
}
