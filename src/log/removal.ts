/** Takes files and directories away that nobody names any more. */
import { type Disk, DiskError } from './disk.ts';

/** A directory with all that is in it; one that is gone already is fine. */
export function removeTree(disk: Disk, directory: string): void {
  if (!disk.exists(directory)) return;
  for (const name of disk.list(directory)) {
    const path = `${directory}/${name}`;
    if (disk.isDirectory(path)) removeTree(disk, path);
    else removeFile(disk, path);
  }
  disk.removeDirectory(directory);
}

/** A file that is gone already is fine. */
export function removeFile(disk: Disk, path: string): void {
  try {
    disk.remove(path);
  } catch (problem) {
    if (!(problem instanceof DiskError) || problem.code !== 'ENOENT') throw problem;
  }
}
