"""Stand-in for the module SampleData: where modules register samples. Only files on this computer are fetched."""

import os
import shutil
import tempfile
import urllib.parse

import slicer
import slicer.util

FIELDS = ("uris", "fileNames", "nodeNames", "checksums", "loadFiles", "loadFileTypes")


class SampleDataSource:
    """A sample: where its files are, what they are called, how they are loaded."""

    def __init__(
        self,
        sampleName=None,
        sampleDescription=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        checksums=None,
        loadFiles=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFileProperties=None,
        loadFileType=None,
    ):
        if loadFileType is not None and loadFileTypes is not None:
            raise ValueError("loadFileType and loadFileTypes cannot be specified at the same time")
        loadFileTypes = loadFileTypes if loadFileTypes is not None else loadFileType
        self.sampleName = sampleName
        self.sampleDescription = sampleDescription if sampleDescription is not None else sampleName
        self.customDownloader = customDownloader
        self.thumbnailFileName = thumbnailFileName
        self.loadFileProperties = loadFileProperties or {}
        values = (uris, fileNames, nodeNames, checksums, loadFiles, loadFileTypes)
        for field, value in zip(FIELDS, values, strict=True):
            if isinstance(uris, str):
                value = [value]
            elif uris is not None and (value is None or (field == "loadFileTypes" and isinstance(value, str))):
                value = [value] * len(uris)
            setattr(self, field, value)
        lengths = {len(getattr(self, field)) for field in FIELDS}
        if len(lengths) != 1:
            raise ValueError("All fields of sample data source must have the same length")

    def __eq__(self, other):
        return isinstance(other, SampleDataSource) and vars(self) == vars(other)

    __hash__ = None


class SampleDataLogic:
    def __init__(self, logMessage=None):
        if logMessage:
            self.logMessage = logMessage

    def logMessage(self, message, logLevel=None):
        slicer.util.showStatusMessage(message)

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties=None,
        checksums=None,
        loadFileType=None,
    ):
        """Offer a sample under a category; registering the same twice has no effect."""
        source = SampleDataSource(
            sampleName=sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            thumbnailFileName=thumbnailFileName,
            loadFileTypes=loadFileTypes,
            loadFileType=loadFileType,
            loadFiles=loadFiles,
            loadFileProperties=loadFileProperties,
            checksums=checksums,
            customDownloader=customDownloader,
        )
        sources = _registry("sampleDataSources").setdefault(category, [])
        if source not in sources:
            sources.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        sources = _registry("sampleDataSources")
        return sources if category is None else sources.get(category, [])

    def sourceForSampleName(self, sampleName):
        for sources in self.sampleDataSourcesByCategory().values():
            for source in sources:
                if source.sampleName == sampleName:
                    return source
        return None

    def downloadFromSource(self, source, maximumAttemptsCount=3, forceDownload=False):
        """Fetch the files of a source and load those that have a node name. Returns the nodes (else the paths)."""
        nodes, paths = [], []
        for uri, fileName, nodeName, loadFile, fileType in zip(
            source.uris, source.fileNames, source.nodeNames, source.loadFiles, source.loadFileTypes, strict=True
        ):
            path = self._fetch(uri, fileName)
            if nodeName is None or loadFile is False:
                paths.append(path)
                continue
            properties = {**source.loadFileProperties, "name": nodeName}
            nodes.append(slicer.util.loadNodeFromFile(path, fileType, properties))
        return nodes or paths

    def downloadSamples(self, sampleName):
        source = self.sourceForSampleName(sampleName)
        return self.downloadFromSource(source) if source else []

    def downloadSample(self, sampleName):
        return self.downloadSamples(sampleName)[0]

    @staticmethod
    def _fetch(uri, fileName):
        parts = urllib.parse.urlparse(uri)
        if parts.scheme not in ("", "file") or not os.path.isfile(parts.path):
            raise ValueError(f"Failed to download {uri}: the host fetches nothing from the network")
        target = os.path.join(tempfile.mkdtemp(dir=slicer.app.temporaryPath), fileName or os.path.basename(parts.path))
        shutil.copy(parts.path, target)
        return target


def _registry(name):
    if not hasattr(slicer.modules, name):
        setattr(slicer.modules, name, {})
    return getattr(slicer.modules, name)


def downloadSample(sampleName):
    return SampleDataLogic().downloadSample(sampleName)


def downloadSamples(sampleName):
    return SampleDataLogic().downloadSamples(sampleName)


def clickSample(sampleName):
    """What a click on the sample's picture does."""
    logic = SampleDataLogic()
    source = logic.sourceForSampleName(sampleName)
    if source is None:
        raise ValueError(f"There is no sample named '{sampleName}'")
    return source.customDownloader(source) if source.customDownloader else logic.downloadFromSource(source)
