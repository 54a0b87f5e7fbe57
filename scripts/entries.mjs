/** What threads and the program begin with: names below the sources' folder, without extension. */
export const ENTRIES = ['main', 'runtime/thread-entry', 'runtime/blocker-entry'];
