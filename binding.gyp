# How the addon is built. Plain JSON below the comments, because scripts/build-addon.mjs makes a compiler line of it
# where there is no Python for node-gyp.
{
  "targets": [
    {
      "target_name": "addon",
      "sources": [
        "native/addon.cc",
        "native/call.cc",
        "native/crc32c.cc",
        "native/file.cc",
        "native/index-map.cc",
        "native/memory.cc",
        "native/poll.cc",
        "native/records.cc",
        "native/socket.cc",
        "native/thread.cc"
      ],
      "include_dirs": ["node_modules/node-api-headers/include", "node_modules/node-addon-api"],
      "defines": ["NAPI_VERSION=9", "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS"],
      "cflags_cc": [
        "-std=c++20",
        "-O2",
        "-fno-exceptions",
        "-fno-rtti",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra"
      ],
      "ldflags": ["-Wl,-z,nodelete"]
    }
  ]
}
