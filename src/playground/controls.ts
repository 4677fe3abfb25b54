/** What visitors do: photos that they choose, drop, paste or name, and the choices beside them. */
import { droppedPhoto, type Photo, sample } from "./photo.ts";
import { signWith } from "./service.ts";
import { byId } from "./show.ts";

/**
 * @param show shows a photo.
 * @param again shows the present one anew, if there is one.
 */
export function listen(show: (photo: Photo | Promise<Photo>) => void, again: () => void): void {
  const drop = byId("drop", HTMLElement);
  const file = byId("file", HTMLInputElement);
  file.addEventListener("change", () => showFirst(file.files));
  // To choose the same file again is no change to browsers, and would do nothing.
  file.addEventListener("click", () => {
    file.value = "";
  });
  document.addEventListener("paste", (event) => showFirst(event.clipboardData?.files));
  for (const type of ["dragenter", "dragover", "dragleave", "drop"] as const) {
    document.addEventListener(type, (event) => {
      const { dataTransfer, target } = event;
      // Text that is dragged into a field goes there.
      const isForField =
        target instanceof HTMLInputElement && target !== file && !dataTransfer?.types.includes("Files");
      if (!isForField) event.preventDefault();
      drop.classList.toggle("over", !isForField && (type === "dragenter" || type === "dragover"));
      if (type !== "drop" || isForField) return;
      const dropped = droppedPhoto(dataTransfer);
      if (dropped !== undefined) show(dropped);
    });
  }

  function showFirst(files: FileList | null | undefined): void {
    const [first] = files ?? [];
    if (first) show(first);
  }

  byId("address", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    show(byId("url", HTMLInputElement).value.trim());
  });
  byId("key", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    const [id, secret] = [byId("key-id", HTMLInputElement).value.trim(), byId("key-secret", HTMLInputElement).value];
    signWith(id && secret ? { id, secret } : undefined);
    again();
  });
  byId("samples", HTMLElement).addEventListener("click", (event) => {
    const name = event.target instanceof HTMLElement ? event.target.dataset.sample : undefined;
    if (name) show(sample(name));
  });
  for (const choice of [byId("format", HTMLSelectElement), byId("local", HTMLInputElement)]) {
    choice.addEventListener("change", again);
  }
}
