# Where things go; read by the other scripts. The program and the data are in different folders on purpose.
app="${XDG_DATA_HOME:-$HOME/.local/share}/chargemesh-app"
bin="$HOME/.local/bin"
unit="${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/chargemesh.service"
agent="$HOME/Library/LaunchAgents/org.chargemesh.node.plist"
if [ "$(uname -s)" = Darwin ]; then
    default_home="$HOME/Library/Application Support/chargemesh"
else
    default_home="${XDG_DATA_HOME:-$HOME/.local/share}/chargemesh"
fi
