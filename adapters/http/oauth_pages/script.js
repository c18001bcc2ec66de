for (const field of document.querySelectorAll('input[type="password"]')) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "show";
  const label = () => {
    const hidden = field.type === "password";
    button.textContent = hidden ? "Show" : "Hide";
    button.setAttribute("aria-label", hidden ? "Show password" : "Hide password");
  };
  button.addEventListener("click", () => {
    field.type = field.type === "password" ? "text" : "password";
    label();
    field.focus();
  });
  label();
  field.parentElement.classList.add("can-show");
  field.after(button);
  field.form.addEventListener("submit", () => { field.type = "password"; });
}
