"""A manual page from what a program says of itself: the JSON of swift-argument-parser's --experimental-dump-help."""

import re


def escaped(text):
    """Text as roff takes it: no line becomes a request, no hyphen a dash."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def paragraphs(text):
    """Blocks of text; an example stands as it is."""
    lines = []
    for block in re.split(r"\n\s*\n", (text or "").strip()):
        if not block:
            continue
        lines.append(".PP")
        example = re.match(r"Examples?:\s*(.*)", block, re.S)
        if example:
            lines += ["Example:", ".PP", ".RS 4", ".nf", escaped(example[1].strip()), ".fi", ".RE"]
        else:
            lines.append(escaped(" ".join(block.split())))
    return lines


def spelled(argument):
    """An argument as it is written in a synopsis and in a list."""
    value = argument.get("valueName", "value")
    if argument["kind"] == "positional":
        return f"<{value}>" + (" ..." if argument.get("isRepeating") else "")
    names = []
    for name in sorted(argument.get("names", []), key=lambda name: name["kind"] != "short"):
        names.append(("--" if name["kind"] == "long" else "-") + name["name"])
    text = ", ".join(names)
    return text + (f" <{value}>" if argument["kind"] == "option" else "")


def shown(command, everywhere=("help", "version")):
    """The arguments to tell of, without those that every command has."""
    return [
        argument for argument in command.get("arguments", [])
        if argument.get("shouldDisplay", True)
        and not any(name["name"] in everywhere for name in argument.get("names", []))]


def synopsis(name, command):
    words = [f"\\fB{escaped(name)}\\fR"]
    for argument in shown(command):
        text = escaped(spelled(argument))
        words.append(f"[{text}]" if argument.get("isOptional", True) else text)
    if subcommands(command):
        words.append("\\fIcommand\\fR ...")
    return " ".join(words)


def subcommands(command):
    return [
        entry for entry in command.get("subcommands", [])
        if entry.get("shouldDisplay", True) and entry["commandName"] != "help"]


def arguments(command, everywhere=("help", "version")):
    lines = []
    for argument in shown(command, everywhere):
        lines += [".TP", f"\\fB{escaped(spelled(argument))}\\fR"]
        text = argument.get("abstract") or ""
        if argument.get("discussion"):
            text += " " + " ".join(argument["discussion"].split())
        if argument.get("defaultValue") and "default" not in text:
            text += f" (default: {argument['defaultValue']})"
        lines.append(escaped(text.strip()) or "\\ ")
    return lines


def commands(name, command):
    """Every command below this one, each with its own list."""
    lines = []
    for entry in subcommands(command):
        full = f"{name} {entry['commandName']}"
        lines += [f".SS {escaped(full)}", escaped(entry.get("abstract") or ""), ".PP", synopsis(full, entry)]
        lines += paragraphs(entry.get("discussion")) + arguments(entry) + commands(full, entry)
    return lines


def page(described, program):
    command = described["command"]
    abstract = (command.get("abstract") or program).rstrip(".")
    lines = [
        f'.TH {program.upper()} 1 "" "Pagewright" "User Commands"', ".SH NAME", f"{program} \\- {escaped(abstract)}",
        ".SH SYNOPSIS", synopsis(program, command), ".SH DESCRIPTION"]
    lines += paragraphs(command.get("discussion")) or [escaped(abstract + ".")]
    lines += [".SH OPTIONS", *arguments(command, ())]
    if subcommands(command):
        lines += [".SH COMMANDS", *commands(program, command)]
    return "\n".join(lines) + "\n"
