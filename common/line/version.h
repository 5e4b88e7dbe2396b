/* The version of svckit, in one place. */
#ifndef SVCKIT_LINE_VERSION_H
#define SVCKIT_LINE_VERSION_H

#define SVCKIT_VERSION "0.1.0"

#endif
